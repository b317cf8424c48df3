// Builds dist/: the browser module, the Node module, the command, the bench, and their types.
//   --bundles-only   leave out the type declarations and the sizes
//   --out DIR        build there rather than in dist
//   --if-possible    where esbuild is not installed (npm ci --omit=dev), say so and succeed
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { wgslForEsbuild } from './wgsl.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const out = process.argv.includes('--out')
  ? path.resolve(process.argv[process.argv.indexOf('--out') + 1])
  : path.join(root, 'dist');
const bundlesOnly = process.argv.includes('--bundles-only');
const ifPossible = process.argv.includes('--if-possible');

let esbuild;
try {
  esbuild = await import('esbuild');
} catch (error) {
  if (!ifPossible) throw error;
  console.log('esbuild is not installed, so nothing was built.');
  process.exit(0);
}

const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  sourcemap: true,
  metafile: true,
  logLevel: 'warning',
};
const forNode = {
  ...common,
  platform: 'node',
  packages: 'external',
  plugins: [wgslForEsbuild()],
};

/** A module for pages: minified kernels, no import of anything. */
async function buildForPages(entry, outfile, options) {
  const { metafile } = await esbuild.build({
    ...common,
    platform: 'neutral',
    plugins: [wgslForEsbuild({ minify: true })],
    // Kernels first: amid the TypeScript, which gzip wants in one place too, they cost 0.2 KB more.
    stdin: { contents: `import 'wgsl:all'; export * from './${entry}';`, resolveDir: root },
    outfile: path.join(out, outfile),
    ...options,
  });
  // Platform "neutral" fails on Node's own modules by itself; packages would be swallowed unseen.
  const foreign = Object.keys(metafile.inputs).filter((file) => file.includes('node_modules/'));
  if (foreign.length > 0) {
    throw new Error(`${entry} must not depend on packages, but it pulls in ${foreign.join(', ')}.`);
  }
}

await mkdir(out, { recursive: true });
await buildForPages('src/index.ts', 'index.js', {
  // A constructor's own parameters are then fields by themselves, not declared and set.
  tsconfigRaw: { compilerOptions: { strict: true, useDefineForClassFields: false } },
});
// Apart, so that a page that runs on GPUs alone does not carry it. What it shares with the other it has a copy of: functions
// and kernels, none of which know where they come from.
await buildForPages('src/software.ts', 'software.js');
await buildForPages('src/matrix.ts', 'matrix.js');
// One engine for both entries: an error or a device of one is that of the other.
const engineOfIndex = {
  name: 'engine-of-index',
  setup(build) {
    build.onResolve({ filter: /\/engine\// }, () => ({ path: './index.js', external: true }));
    build.onResolve({ filter: /\/(software|matrix)\.js$/ }, ({ path: name }) => ({
      path: `./${path.basename(name)}`,
      external: true,
    }));
  },
};
await esbuild.build({
  ...forNode,
  plugins: [engineOfIndex],
  entryPoints: ['src/node.ts'],
  outfile: path.join(out, 'node.js'),
});
await esbuild.build({
  ...forNode,
  entryPoints: ['src/cli/main.ts'],
  outfile: path.join(out, 'cli.js'),
  banner: { js: '#!/usr/bin/env node' },
});
await chmod(path.join(out, 'cli.js'), 0o755);
// Apart from the command, which loads it when it is asked for. Its peers are packages that need not be there.
await esbuild.build({ ...forNode, entryPoints: ['bench/node/cli.ts'], outfile: path.join(out, 'bench.js') });

if (!bundlesOnly) {
  await rm(path.join(out, 'types'), { recursive: true, force: true });
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const types = spawnSync(
    process.execPath,
    [tsc, '-p', 'tsconfig.types.json', '--outDir', path.join(out, 'types')],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  if (types.status !== 0) process.exit(1);

  const { aims, sizes } = await import('./size.mjs');
  const kb = (bytes) => `${(bytes / 1000).toFixed(1)} KB`;
  for (const [name, { minified, gzipped }] of Object.entries(await sizes(out))) {
    const aim = aims[name] ? `, where ${kb(aims[name])} is the aim` : '';
    console.log(`${name}: ${kb(minified)} minified, ${kb(gzipped)} gzipped${aim}`);
  }
}
