// Writes weights anew as f16, as the page ships them: node scripts/run.mjs scripts/shipModel.ts IN.safetensors OUT.safetensors
import { readFile, writeFile } from 'node:fs/promises';
import { decodeWeights, encodeWeights, modelFrom } from '../src/unet/checkpoint.js';

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  console.error('Usage: node scripts/run.mjs scripts/shipModel.ts IN.safetensors OUT.safetensors');
  process.exit(2);
}
const weights = decodeWeights(await readFile(from), from);
const more = Object.fromEntries(
  [...weights.metadata].filter(([key]) => !['format', 'model', 'preparation'].includes(key)),
);
const bytes = Buffer.concat(await encodeWeights(modelFrom(weights), weights.preparation, more, true));
await writeFile(to, bytes);
console.log(`${to}: ${bytes.length} bytes`);
