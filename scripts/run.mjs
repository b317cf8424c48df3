// Runs a TypeScript program of this project (a bench, a tool) as it stands: node scripts/run.mjs bench/main.ts [arguments]
import { unlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { wgslForEsbuild } from './wgsl.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const [entry, ...rest] = process.argv.slice(2);
if (entry === undefined) {
  console.error('Usage: node scripts/run.mjs FILE.ts [arguments]');
  process.exit(2);
}
// Beside node_modules, so that imports of packages resolve.
const folder = path.join(root, 'node_modules/.cache/shadergrad');
await mkdir(folder, { recursive: true });
const source = path.resolve(entry);
const outfile = path.join(folder, `${path.relative(root, source).replace(/[\\/]/g, '-')}-${process.pid}.mjs`);
await build({
  entryPoints: [source],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  packages: 'external',
  sourcemap: 'inline',
  plugins: [wgslForEsbuild()],
  logLevel: 'warning',
});
process.on('exit', () => unlinkSync(outfile));
process.setSourceMapsEnabled(true);
process.argv = [process.argv[0], source, ...rest];
await import(pathToFileURL(outfile).href);
