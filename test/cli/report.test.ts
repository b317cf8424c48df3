import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Picture } from '../../src/cli/picture.js';
import { run } from '../../src/cli/program.js';
import { type Chart, chartsOf } from '../../src/cli/report/charts.js';
import { html, pngUri, scriptJson } from '../../src/cli/report/html.js';
import { type ReportInput, reportPage } from '../../src/cli/report/page.js';
import { createRun } from '../../src/cli/runFolder.js';
import { config, epoch, step, summary } from './records.js';

const library = { script: 'var uPlot = globalThis.UPlot;', style: '.uplot{}' };

function input(change: Partial<ReportInput> = {}): ReportInput {
  return {
    title: 'post',
    config: config(),
    epochs: [epoch(1, 745), epoch(2, 1490), epoch(3, 2235)],
    steps: [step(1, 10), step(1, 20)],
    summary: summary(),
    samples: [{ caption: 'a 1: Dice 0.9', png: new Picture(2, 2).png() }],
    evaluation: null,
    library,
    ...change,
  };
}

/** What a reader sees: the page without its markup. */
function text(page: string): string {
  return page
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&#34;/g, '"')
    .replace(/\s+/g, ' ');
}

describe('the report', () => {
  it('tells the figures and what they are worth', () => {
    const shown = text(reportPage(input()));
    expect(shown).toContain('The run is not complete: 3 of 20 epochs are done.');
    expect(shown).toContain('checkpoint "best" (epoch 17) at threshold 0.5, on the validation patients.');
    expect(shown).toContain('The best checkpoint was chosen on these same patients.');
    expect(shown).toContain('31,031,745');
    expect(shown).toContain('80 patients, 2,977 slices, 1,040 with a lesion');
    expect(shown).toContain('one-cycle, 20 epochs of 745 steps, 14,900 in all');
    expect(shown).toContain('llvmpipe (software: runs on the CPU)');
    // Of 3, 2 and 1 voxels of 3, and a false one beside the second patient's.
    expect(shown).toContain('0.722 mean Dice of 3 patients');
    expect(shown).toContain('1 / 3 lesion-free slices with a false positive');
  });

  it('warns where the training diverged, and says what to do', () => {
    const last = epoch(3, 2235);
    const epochs = [epoch(1, 745), epoch(2, 1490), { ...last, train: { ...last.train, loss: 12.5 } }];
    const shown = text(reportPage(input({ epochs: [...epochs, epoch(4, 2980)] })));
    expect(shown).toContain(
      'Warning: the training loss rose from 0.2432 in epoch 2 to 12.5000 in epoch 3: the training diverged; start a new run with a learning rate below 0.1, such as --lr 0.01.',
    );
    expect(text(reportPage(input()))).not.toContain('Warning');
  });

  it('sorts patients by Dice, with lines at mean and median', () => {
    const page = reportPage(input());
    const bars = [...page.matchAll(/class="fill" style="width:([\d.]+)%"/g)].map((match) => Number(match[1]));
    expect(bars).toHaveLength(3);
    expect(bars).toEqual([...bars].sort((a, b) => b - a));
    expect(page).toMatch(/--mean:72\.2\d*%;--median:66\.6\d*%/);
  });

  it('needs nothing from outside itself', () => {
    const page = reportPage(input());
    expect([...page.matchAll(/(?:src|href)="([^"]*)"/g)].every(([, uri]) => uri?.startsWith('data:'))).toBe(
      true,
    );
    expect(page).not.toMatch(/@import|url\(|https?:/);
  });

  it('takes names as text, never as markup', () => {
    const evil = '</script><img src=x onerror=alert(1)>"\'&';
    const page = reportPage(
      input({
        title: evil,
        config: config({ preset: evil }),
        samples: [{ caption: evil, png: new Uint8Array(1) }],
      }),
    );
    expect(page).not.toContain('<img src=x');
    expect(page.match(/<\/script>/g)).toHaveLength(3);
  });

  it('says what is missing before the first epoch and before an evaluation', () => {
    const shown = text(reportPage(input({ epochs: [], steps: [], summary: null, samples: [] })));
    expect(shown).toContain('No epoch is complete yet.');
    expect(shown).toContain('0 of 20 epochs');
    expect(shown).not.toContain('Dice per patient');
    expect(text(reportPage(input({ summary: null })))).toMatch(/mean Dice, best epoch \(2\)/);
  });

  it('warns where the figures include training patients', () => {
    expect(text(reportPage(input({ summary: { ...summary(), patients: 'all' } })))).toContain(
      'the model was trained on',
    );
  });
});

describe('its charts', () => {
  it('show losses, Dice and learning rate, and mark the best epoch', () => {
    const charts = chartsOf([epoch(1, 10), epoch(2, 20), epoch(3, 30)], []);
    expect(charts.map((chart) => chart.title)).toEqual([
      'Dice of validation patients',
      'Loss',
      'Cross-entropy',
      'Dice loss',
      'False-positive slices',
      'Learning rate',
    ]);
    expect(charts[0]?.mark).toBe(2);
    expect(charts[1]?.series[0]?.values[1]).toBe(epoch(2, 20).train.loss);
  });

  it('average long runs of steps, and say so', () => {
    const steps = Array.from({ length: 1501 }, (_, i) => ({ ...step(1, i + 1), loss: i }));
    const chart = chartsOf([], steps)[0] as Chart;
    expect(chart.x).toHaveLength(501);
    expect(chart.series[0]?.label).toBe('loss, mean of 3');
    expect(chart.series[0]?.values.slice(0, 2)).toEqual([1, 4]);
    expect([chart.x[0], chart.x.at(-1)]).toEqual([3, 1501]);
    expect(chart.series[0]?.values.at(-1)).toBe(1500);
  });

  it('are drawn by the code in the page, alone, and again when the color scheme changes', () => {
    const page = reportPage(input());
    const scripts = [...page.matchAll(/<script( [^>]*)?>([\s\S]*?)<\/script>/g)];
    const [, , json = ''] = scripts[0] ?? [];
    const made: { options: { series: { label: string }[] }; data: unknown[]; element: unknown }[] = [];
    let destroyed = 0;
    let change: () => void = () => undefined;
    const context = {
      UPlot: class {
        constructor(options: { series: { label: string }[] }, data: unknown[], element: unknown) {
          made.push({ options, data, element });
        }
        destroy() {
          destroyed++;
        }
      },
      document: {
        documentElement: { clientWidth: 800 },
        getElementById: (id: string) => (id === 'charts' ? { textContent: json } : { id, clientWidth: 400 }),
      },
      getComputedStyle: () => ({ getPropertyValue: (name: string) => ` ${name}` }),
      addEventListener: () => undefined,
      matchMedia: () => ({ addEventListener: (_: string, listener: () => void) => (change = listener) }),
    };
    const code = scripts.slice(1).map((match) => match[2]);
    runInNewContext(code.join('\n'), context);
    const charts = JSON.parse(json) as Chart[];
    expect(made).toHaveLength(charts.length);
    expect(made[1]?.options.series.map((series) => series.label)).toEqual(['epoch', 'train', 'valid']);
    expect(made[1]?.element).toMatchObject({ id: 'chart-1' });
    expect(JSON.stringify(made[1]?.data)).toBe(
      JSON.stringify([charts[1]?.x, ...(charts[1]?.series ?? []).map((s) => s.values)]),
    );
    change();
    expect([made.length, destroyed]).toEqual([2 * charts.length, charts.length]);
  });
});

describe('shadergrad report', () => {
  it('writes the page again from the run folder alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'report-'));
    try {
      const root = join(folder, 'mine');
      const folderOfRun = await createRun(root);
      await folderOfRun.writeConfig(config());
      await folderOfRun.appendMetric(step(1, 5));
      await folderOfRun.appendMetric(epoch(1, 745));
      await folderOfRun.writeSummary(summary());
      await folderOfRun.writeOverlays([{ name: 'a.png', caption: 'slice a', png: new Picture(4, 4).png() }]);
      await folderOfRun.write('evaluation', new Picture(8, 8).png());
      let out = '';
      const stream = { write: (piece: string) => (out += piece) };
      expect(await run(['report', root], { stdout: stream, stderr: stream })).toBe(0);
      expect(out).toBe(`Wrote ${join(root, 'report.html')}\n`);
      const page = readFileSync(join(root, 'report.html'), 'utf8');
      expect(page).toContain('<title>mine — shadergrad report</title>');
      expect(page).toContain('var uPlot=function');
      expect(page.match(/<img /g)).toHaveLength(2);
      expect(text(page)).toContain('slice a');
      out = '';
      expect(await run(['report', join(folder, 'none')], { stdout: stream, stderr: stream })).toBe(1);
      expect(out).toBe(`shadergrad: There is no run folder ${join(folder, 'none')}; check the path.\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('html', () => {
  it('escapes what is put in, and nests', () => {
    expect(html`<b>${'<&"\''}</b>${[html`<i>${1}</i>`]}`.text).toBe('<b>&#60;&#38;&#34;&#39;</b><i>1</i>');
    expect(scriptJson('</script>').text).toBe('"\\u003c/script>"');
    expect(pngUri(new Uint8Array(20_000).fill(65))).toBe(
      `data:image/png;base64,${Buffer.alloc(20_000, 65).toString('base64')}`,
    );
  });
});
