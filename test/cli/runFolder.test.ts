import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { environment } from '../../src/cli/environment.js';
import { createRun, defaultRoot, openRun, RunError } from '../../src/cli/runFolder.js';
import { config, epoch, step, summary } from './records.js';

const overlay = { name: 'a_1.png', caption: 'a 1, Dice 0.9', png: Uint8Array.of(3) };

let folder = '';
let root = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-'));
  root = join(folder, 'runs', 'a');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a run folder', () => {
  it('gives back what was written', async () => {
    const run = await createRun(root);
    await run.writeConfig(config());
    await run.writeSplit('{"train":[]}');
    await run.writeSummary(summary());
    await run.write('best', [Uint8Array.of(1), Uint8Array.of(2)]);
    await run.writeOverlays([{ name: 'old.png', caption: '', png: Uint8Array.of(1) }]);
    await run.writeOverlays([overlay]);
    const again = await openRun(root);
    expect(await again.readConfig()).toEqual(config());
    expect(await again.readSplit()).toBe('{"train":[]}');
    expect(await again.readSummary()).toEqual(summary());
    expect((await again.readOverlays()).map((each) => ({ ...each, png: [...each.png] }))).toEqual([
      { ...overlay, png: [3] },
    ]);
    expect(readdirSync(join(root, 'overlays')).sort()).toEqual(['a_1.png', 'index.json']);
    expect(readdirSync(root).sort()).toEqual([
      'best.safetensors',
      'config.json',
      'overlays',
      'split.json',
      'summary.json',
    ]);
  });

  it('is not begun over another run, nor among other files', async () => {
    const run = await createRun(root);
    await run.writeConfig(config());
    await expect(createRun(root)).rejects.toThrow(
      `${root} already holds a run: go on with it by shadergrad train --resume ${root}, replace it by --force, or give another --out.`,
    );
    expect(await run.readConfig()).toEqual(config());
    writeFileSync(join(folder, 'notes.txt'), '');
    await expect(createRun(folder)).rejects.toThrow(/already holds other files \(notes\.txt, runs\)/);
  });

  it('is begun anew where one was killed before it was whole', async () => {
    const killed = await createRun(root);
    await killed.write('resume', 'x');
    await killed.writeSplit('{}');
    writeFileSync(join(root, '.config.json.99.part'), 'half');
    await createRun(root);
    expect(readdirSync(root)).toEqual([]);
    await killed.write('resume', 'x');
    await killed.write('last', 'weights of worth');
    await expect(createRun(root)).rejects.toThrow(/already holds a run/);
    expect(readdirSync(root)).toEqual(['last.safetensors', 'resume.safetensors']);
  });

  it('is replaced by force, with nothing of the earlier run left and nothing else lost', async () => {
    const run = await createRun(root);
    await run.writeConfig(config());
    await run.appendMetric(step(1, 1));
    await run.write('resume', 'x');
    await run.writeOverlays([overlay]);
    writeFileSync(join(root, 'notes.txt'), 'mine');
    await createRun(root, true);
    expect(readdirSync(root).sort()).toEqual(['notes.txt', 'overlays']);
    expect(readdirSync(join(root, 'overlays'))).toEqual([]);
  });

  it('removes no picture that it did not draw', async () => {
    const run = await createRun(root);
    mkdirSync(run.paths.overlays);
    writeFileSync(join(run.paths.overlays, 'mine.png'), 'mine');
    await run.writeOverlays([overlay]);
    await run.writeOverlays([{ ...overlay, name: 'b_2.png' }]);
    expect(readdirSync(run.paths.overlays).sort()).toEqual(['b_2.png', 'index.json', 'mine.png']);
    await createRun(root, true);
    expect(readdirSync(run.paths.overlays)).toEqual(['mine.png']);
    writeFileSync(join(run.paths.overlays, 'index.json'), '{"of":"another program"}');
    await expect(run.writeOverlays([overlay])).rejects.toThrow(
      /index\.json is no list of overlays; move it away/,
    );
  });

  it('is opened only where there is one', async () => {
    await expect(openRun(root)).rejects.toThrow(`There is no run folder ${root}; check the path.`);
    await expect(openRun(folder)).rejects.toThrow(/is no run folder: it has no config\.json/);
  });

  it('says which file is damaged', async () => {
    const run = await createRun(root);
    writeFileSync(run.paths.config, '{"format":"shad');
    await expect(run.readConfig()).rejects.toThrow(`${run.paths.config} is damaged: it is not JSON.`);
    writeFileSync(run.paths.config, '{"format":"shadergrad-run","version":9}');
    await expect(run.readConfig()).rejects.toThrow(/version 9/);
    await expect(run.writeOverlays([{ ...overlay, name: '../a.png' }])).rejects.toThrow(RunError);
  });

  it('removes what a killed process left aside', async () => {
    const run = await createRun(root);
    await run.writeConfig(config());
    writeFileSync(join(root, '.resume.safetensors.99.part'), 'half');
    await openRun(root);
    expect(existsSync(join(root, '.resume.safetensors.99.part'))).toBe(false);
  });
});

describe('metrics.jsonl', () => {
  it('goes back to the checkpoint a run goes on from', async () => {
    const run = await createRun(root);
    const records = [step(1, 5), step(1, 10), epoch(1, 10), step(2, 15), step(2, 20), epoch(2, 20)];
    for (const record of records) await run.appendMetric(record);
    await run.truncateMetrics(20, 1);
    expect(await run.readMetrics()).toEqual(records.slice(0, 5));
    await run.truncateMetrics(17, 1);
    expect(await run.readMetrics()).toEqual(records.slice(0, 4));
    await run.truncateMetrics(10, 1);
    expect(await run.readMetrics()).toEqual(records.slice(0, 3));
    await run.appendMetric(step(2, 12));
    expect(readFileSync(run.paths.metrics, 'utf8').trimEnd().split('\n')).toHaveLength(4);
  });

  it('forgives a cut last line and nothing else', async () => {
    const run = await createRun(root);
    expect(await run.readMetrics()).toEqual([]);
    await run.appendMetric(step(1, 1));
    appendFileSync(run.paths.metrics, '{"kind":"st');
    expect(await run.readMetrics()).toEqual([step(1, 1)]);
    appendFileSync(run.paths.metrics, '\n{}\n');
    await expect(run.readMetrics()).rejects.toThrow(/damaged at line 2/);
  });
});

it('names a folder by local time', () => {
  expect(defaultRoot(new Date(2026, 2, 9, 4, 5, 7))).toBe(join('runs', '2026-03-09-040507'));
});

it('knows the package, Node and the commit', async () => {
  const facts = await environment({ name: 'llvmpipe', software: true });
  expect(facts).toMatchObject({ node: process.version, adapter: { name: 'llvmpipe', software: true } });
  expect(facts.shadergrad).toMatch(/^\d+\.\d+\.\d+/);
  if (existsSync(new URL('../../.git', import.meta.url)))
    expect(facts.commit).toMatch(/^[0-9a-f]{40}(-dirty)?$/);
});
