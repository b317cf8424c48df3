// How a .wgsl file becomes a module: `export default { name, code }`. One transform serves esbuild and Vite.
import { readFile } from 'node:fs/promises';
import path from 'node:path';

function moduleOf(file, code) {
  const normal = file.split(path.sep).join('/');
  const at = normal.lastIndexOf('/src/shaders/');
  const name = (at < 0 ? path.basename(normal) : normal.slice(at + '/src/shaders/'.length)).replace(
    /\.wgsl$/,
    '',
  );
  return `export default ${JSON.stringify({ name, code })};`;
}

/** Comments and indentation are for people; a bundle that ships need not carry them. */
export function stripWgsl(code) {
  return code
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}

/** @param {{ strip?: boolean }} options */
export function wgslForEsbuild(options = {}) {
  return {
    name: 'wgsl',
    setup(build) {
      build.onLoad({ filter: /\.wgsl$/ }, async (args) => {
        const code = await readFile(args.path, 'utf8');
        return { contents: moduleOf(args.path, options.strip ? stripWgsl(code) : code), loader: 'js' };
      });
    },
  };
}

export function wgslForVite() {
  return {
    name: 'wgsl',
    enforce: 'pre',
    transform(code, id) {
      const file = id.split('?')[0];
      return file.endsWith('.wgsl') ? { code: moduleOf(file, code), map: null } : null;
    },
  };
}
