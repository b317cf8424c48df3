import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/program.js';
import { encodeTiff } from '../../src/data/tiffWriter.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prepare-'));
  for (const patient of ['TCGA_A', 'TCGA_B', 'TCGA_C']) {
    mkdirSync(join(folder, 'tree', patient), { recursive: true });
    for (const n of [1, 2]) {
      const mask = new Uint8Array(16);
      if (n === 2) mask.fill(255, 0, 4);
      const name = join(folder, 'tree', patient, `${patient}_${n}`);
      writeFileSync(
        `${name}.tif`,
        encodeTiff({ width: 4, height: 4, channels: 3, data: new Uint8Array(48).fill(n) }),
      );
      writeFileSync(`${name}_mask.tif`, encodeTiff({ width: 4, height: 4, channels: 1, data: mask }));
    }
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

async function shell(...args: string[]) {
  let out = '';
  let err = '';
  const code = await run(args, {
    stdout: { write: (t) => (out += t) },
    stderr: { write: (t) => (err += t) },
  });
  return { out, err, code };
}

describe('shadergrad prepare', () => {
  it('says what is there and writes a split that it takes back', async () => {
    const data = join(folder, 'tree');
    const split = join(folder, 'split.json');
    const first = await shell('prepare', '--data', data, '--valid', '0.34', '--seed', '5', '--out', split);
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(first.out).toContain('3 patients, 6 slices, 3 with a lesion; 12.50% of pixels are lesion');
    expect(first.out).toContain('split ratio, seed 5: 2 patients train, 1 validate');
    const saved = JSON.parse(readFileSync(split, 'utf8')) as { valid: string[] };
    const again = await shell('prepare', '--data', data, '--split', split, '--json');
    const json = JSON.parse(again.out) as { split: { valid: string[] }; patients: unknown[] };
    expect(json.split.valid).toEqual(saved.valid);
    expect(json.patients[0]).toEqual({ id: 'TCGA_A', slices: 2, lesionSlices: 1, lesionPixels: 4 });
  });

  it('names the mask that is missing, and writes nothing', async () => {
    rmSync(join(folder, 'tree', 'TCGA_B', 'TCGA_B_2_mask.tif'));
    const out = join(folder, 'split.json');
    const { err, code } = await shell('prepare', '--data', join(folder, 'tree'), '--out', out);
    expect(code).toBe(1);
    expect(err).toMatch(/^shadergrad: .*TCGA_B_2.*\n$/);
    expect(() => readFileSync(out)).toThrow();
  });

  it('says what is there before it says that it cannot be split', async () => {
    const { out, err, code } = await shell('prepare', '--data', join(folder, 'tree', 'TCGA_B'));
    expect(code).toBe(1);
    expect(out).toContain('1 patient, 2 slices, 1 with a lesion');
    expect(err).toMatch(/^shadergrad: A split takes at least 2 patients and the data set has 1; .*\n$/);
  });

  it('names a split file that is not there', async () => {
    const { err, code } = await shell(
      'prepare',
      '--data',
      join(folder, 'tree'),
      '--split',
      join(folder, 'no.json'),
    );
    expect(code).toBe(1);
    expect(err).toMatch(/Could not read .*no\.json: there is no such file/);
  });
});
