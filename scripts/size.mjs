// What a page downloads of the built module: bundled as its own bundler would, minified, gzipped.
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const inference = ['openDevice', 'compile', 'evaluate', 'tensor', 'UNet', 'decodeWeights', 'Segmenter'];
const training = [
  ...inference,
  ...['grad', 'SGD', 'oneCycle', 'binaryCrossEntropy', 'diceLoss', 'Trainer', 'encodeWeights'],
];

/** Gzipped bytes that a page may download, kernels included: what the tests allow. */
export const aims = { inference: 40_000, training: 60_000 };

/** @param {string} folder where the build lies @returns {Promise<Record<import('./size.mjs').Measured, { minified: number, gzipped: number }>>} */
export async function sizes(folder) {
  const from = JSON.stringify(path.resolve(folder, 'index.js'));
  const software = `export * from ${JSON.stringify(path.resolve(folder, 'software.js'))};`;
  const entries = {
    inference: `export { ${inference} } from ${from};`,
    training: `export { ${training} } from ${from};`,
    'inference on CPU adapters too': `export { ${inference} } from ${from}; ${software}`,
    'training on CPU adapters too': `export { ${training} } from ${from}; ${software}`,
    everything: `export * from ${from}; ${software}`,
  };
  const measured = Object.entries(entries).map(async ([name, contents]) => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: '.' },
      bundle: true,
      format: 'esm',
      target: 'es2022',
      minify: true,
      write: false,
    });
    const [output] = outputFiles;
    return [
      name,
      { minified: output.contents.length, gzipped: gzipSync(output.contents, { level: 9 }).length },
    ];
  });
  return Object.fromEntries(await Promise.all(measured));
}
