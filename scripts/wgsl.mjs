// How a .wgsl file becomes a module: `export default { name, code }`. One transform serves esbuild and Vite.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { minifyWgsl, moduleNames } from './minifyWgsl.mjs';

const source = path.join(path.dirname(fileURLToPath(import.meta.url)), '../src');
const shaders = path.join(source, 'shaders');

/** All files under `folder` that end with `end`, in one order, and their texts. */
async function texts(folder, end) {
  const all = await readdir(folder, { recursive: true });
  const files = all
    .filter((file) => file.endsWith(end))
    .sort()
    .map((file) => path.join(folder, file));
  return { files, codes: await Promise.all(files.map((file) => readFile(file, 'utf8'))) };
}

/** Every kernel, and short names for what they have in common with each other and with the launches that give constants. */
export async function allShaders() {
  const { files, codes } = await texts(shaders, '.wgsl');
  const launches = await texts(path.join(source, 'engine/kernels'), '.ts');
  return { files, codes, names: moduleNames(codes, launches.codes) };
}

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
    async setup(build) {
      if (!minify) {
        build.onLoad({ filter: /\.wgsl$/ }, async ({ path: file }) => ({
          contents: `export default ${shaderOf(file, await readFile(file, 'utf8'))};`,
          loader: 'js',
        }));
        return;
      }
      const { files, codes, names } = await allShaders();
      // The constants' names in TypeScript, which are keys of objects there.
      const { constants } = names;
      build.initialOptions.mangleProps = new RegExp(`^(?:${[...constants.keys()].join('|')})$`);
      build.initialOptions.mangleCache = Object.fromEntries(constants);
      const all = 'wgsl:all';
      build.onResolve({ filter: /^wgsl:all$/ }, () => ({ path: 'all', namespace: 'wgsl' }));
      build.onLoad({ filter: /\.wgsl$/ }, ({ path: file }) => ({
        contents: `export { ${identifier(file)} as default } from '${all}';`,
        loader: 'js',
        resolveDir: shaders,
      }));
      build.onLoad({ filter: /.*/, namespace: 'wgsl' }, () => {
        const minified = files.map((file, i) => ({ file, code: minifyWgsl(codes[i], names) }));
        // Kernels alike are of like length, and gzip likes them near each other.
        minified.sort((a, b) => a.code.length - b.code.length);
        const lines = minified.map(
          ({ file, code }) => `export const ${identifier(file)} = ${shaderOf(file, code)};`,
        );
        return { contents: lines.join('\n'), loader: 'js' };
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
