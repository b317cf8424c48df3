// Prints the table of op cases as JSON, with each case's seed, for make.py.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const bundle = await build({
  stdin: {
    contents: `export { cases } from './ops/cases.ts'; export { seedOf } from './reference/generator.ts';`,
    resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    loader: 'ts',
  },
  bundle: true,
  format: 'esm',
  write: false,
});
const url = `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`;
const { cases, seedOf } = await import(url);
console.log(JSON.stringify(cases.map((one) => ({ ...one, seed: seedOf(one.name) }))));
