// How a .wgsl file becomes a module: `export default { name, code }`. One transform serves esbuild and Vite.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { minifyWgsl, moduleNames } from './minifyWgsl.mjs';

const shaders = path.join(path.dirname(fileURLToPath(import.meta.url)), '../src/shaders');

function shaderOf(file, code) {
  const normal = file.split(path.sep).join('/');
  const at = normal.lastIndexOf('/src/shaders/');
  const name = at < 0 ? path.basename(normal) : normal.slice(at + '/src/shaders/'.length);
  return JSON.stringify({ name: name.replace(/\.wgsl$/, ''), code });
}

/**
 * `minify`: for a bundle that ships. Kernels are then short, and all in one place: what gzip can find again must lie
 * within 32 KB. Otherwise each keeps its own text, which is what a person at the bench wants to see.
 * @param {{ minify?: boolean }} options
 */
export function wgslForEsbuild({ minify = false } = {}) {
  return {
    name: 'wgsl',
    setup(build) {
      if (!minify) {
        build.onLoad({ filter: /\.wgsl$/ }, async ({ path: file }) => ({
          contents: `export default ${shaderOf(file, await readFile(file, 'utf8'))};`,
          loader: 'js',
        }));
        return;
      }
      const all = 'wgsl:all';
      build.onResolve({ filter: /^wgsl:all$/ }, () => ({
        path: 'all',
        namespace: 'wgsl',
        sideEffects: false,
      }));
      build.onLoad({ filter: /\.wgsl$/ }, ({ path: file }) => ({
        contents: `export { ${identifier(file)} as default } from '${all}';`,
        loader: 'js',
        resolveDir: shaders,
      }));
      build.onLoad({ filter: /.*/, namespace: 'wgsl' }, async () => {
        const files = (await readdir(shaders, { recursive: true }))
          .filter((file) => file.endsWith('.wgsl'))
          .sort()
          .map((file) => path.join(shaders, file));
        const codes = await Promise.all(files.map((file) => readFile(file, 'utf8')));
        const names = moduleNames(codes);
        const constants = files.map(
          (file, i) => `export const ${identifier(file)} = ${shaderOf(file, minifyWgsl(codes[i], names))};`,
        );
        return { contents: constants.join('\n'), loader: 'js' };
      });
    },
  };
}

/** `conv2d_block3x3` of the file of that kernel. */
function identifier(file) {
  return path
    .relative(shaders, file)
    .replace(/\.wgsl$/, '')
    .replaceAll(/\W/g, '_');
}

export function wgslForVite() {
  return {
    name: 'wgsl',
    enforce: 'pre',
    transform(code, id) {
      const file = id.split('?')[0];
      return file.endsWith('.wgsl') ? { code: `export default ${shaderOf(file, code)};`, map: null } : null;
    },
  };
}
