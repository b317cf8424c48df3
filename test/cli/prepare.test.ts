import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
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

  it('never puts the split in the place of a zip or a slice it reads, by whatever name', async () => {
    const zip = join(folder, 'archive.zip');
    const files = ['TCGA_A_1', 'TCGA_A_1_mask', 'TCGA_B_1', 'TCGA_B_1_mask'].map((name) => {
      const patient = name.slice(0, 6);
      return [`${patient}/${name}.tif`, readFileSync(join(folder, 'tree', patient, `${name}.tif`))] as const;
    });
    writeFileSync(zip, zipSync(Object.fromEntries(files)));
    const link = join(folder, 'link.json');
    symlinkSync(zip, link);
    const slice = join(folder, 'tree', 'TCGA_A', 'TCGA_A_1.tif');
    const before = [readFileSync(zip), readFileSync(slice)];
    for (const [data, out] of [
      [zip, zip],
      [zip, link],
      [join(folder, 'tree'), slice],
    ] as const) {
      const { code, err } = await shell('prepare', '--data', data, '--out', out);
      expect(code).toBe(1);
      expect(err).toBe(`shadergrad: ${out} is an input and would be replaced; give another --out.\n`);
    }
    expect([readFileSync(zip), readFileSync(slice)]).toEqual(before);
    // Beside the slices there is room.
    const beside = join(folder, 'tree', 'split.json');
    for (let i = 0; i < 2; i++)
      expect(await shell('prepare', '--data', join(folder, 'tree'), '--out', beside)).toMatchObject({
        code: 0,
      });
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
