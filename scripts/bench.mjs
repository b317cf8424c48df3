// Runs the bench: node scripts/bench.mjs [arguments of bench/main.ts]
// This form carries tfjs and is not packed; `shadergrad bench` runs dist/bench.js, which build.mjs makes.
// tfjs is bundled, not imported: it registers its gradients only in its ES modules, which Node does not load as they lie.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { wgslForEsbuild } from './wgsl.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const outfile = path.join(root, 'dist/bench-with-peers.js');
await mkdir(path.dirname(outfile), { recursive: true });

/** Packages that our own files name stay imports, but for tfjs. What tfjs itself needs goes into the bundle with it. */
const packagesOutside = {
  name: 'packages-outside',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, ({ path: name, importer }) =>
      name.startsWith('@tensorflow/') || importer.includes('node_modules') || path.isAbsolute(name)
        ? undefined
        : { path: name, external: true },
    );
  },
};

await build({
  absWorkingDir: root,
  entryPoints: ['bench/main.ts'],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  mainFields: ['module', 'main'],
  sourcemap: 'inline',
  plugins: [wgslForEsbuild(), packagesOutside],
  banner: {
    js: "import { createRequire as requireForBundled } from 'node:module'; const require = requireForBundled(import.meta.url);",
  },
  logLevel: 'error',
});
process.setSourceMapsEnabled(true);
await import(pathToFileURL(outfile).href);
