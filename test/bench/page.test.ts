import { expect, it } from 'vitest';
import { benchPage } from '../../bench/html/page.js';
import { logScale } from '../../bench/html/scale.js';
import type { Report, Row } from '../../bench/report.js';
import { testBrowser } from '../support/browser.js';

const layer = {
  suite: 'ladder',
  case: 'small',
  op: 'conv2d',
  layer: 'down.0.conv1 3x3 3>16',
  count: 1,
  flops: 4e8,
  bytes: 1e7,
};
const kernel = (variant: string, ms: number, extra: Partial<Row> = {}): Row[] => {
  const base = { ...layer, variant, ...extra };
  const what = (which: string): string => `conv2d ${layer.layer}, ${variant}: ${which}`;
  return [
    { ...base, what: what('time'), value: ms, unit: 'ms' },
    { ...base, what: what('rate'), value: 400 / ms, unit: 'GFLOP/s' },
    { ...base, what: what('bandwidth'), value: 10 / ms, unit: 'GB/s' },
    { ...base, what: what('share of the ceiling'), value: 400 / ms / 50, unit: '' },
    { ...base, what: what('error'), value: 1e-7, unit: 'relative' },
  ];
};

const rows: Row[] = [
  { suite: 'ceiling', case: 'best', what: 'multiply-add', value: 50, unit: 'GFLOP/s' },
  { suite: 'ceiling', case: 'best', what: 'copy, read + write', value: 5, unit: 'GB/s' },
  ...kernel('direct', 400),
  ...kernel('strips', 16, { chosen: true }),
  ...kernel('<mine>.wgsl', 20, { note: 'WRONG: error 1 where 0.0001 is allowed' }),
  {
    ...layer,
    variant: 'tile',
    what: 'conv2d, tile: time',
    value: null,
    unit: 'ms',
    note: 'does not run: no',
  },
  {
    suite: 'step',
    case: 'small',
    what: 'training step',
    value: 500,
    unit: 'ms',
    peer: 'tfjs',
    peerValue: 8500,
    ratio: 17,
  },
];
const report: Report = {
  adapter: 'llvmpipe',
  software: true,
  versions: { shadergrad: '0.1.0' },
  commit: 'abc',
  date: '2026-01-02T03:04:05Z',
  rows,
};

it('has the roofline, the ladder bars, the peers and every row, and needs nothing from outside', () => {
  const page = benchPage(report);
  expect(page).not.toMatch(/(src|href)="https?:/);
  const dots = [
    ...page.matchAll(/<path class="dot"[^>]*transform="translate\(([\d.]+) ([\d.]+)\)"[^>]*><title>([^<]*)/g),
  ];
  expect(dots.map(([, , , title]) => title)).toEqual([
    'conv2d down.0.conv1 3x3 3&#62;16, direct: 400 ms, 1.00 GFLOP/s, 2.00% of the ceiling',
    'conv2d down.0.conv1 3x3 3&#62;16, strips: 16.0 ms, 25.0 GFLOP/s, 50.0% of the ceiling',
    'conv2d down.0.conv1 3x3 3&#62;16, &#60;mine&#62;.wgsl: 20.0 ms, 20.0 GFLOP/s, 40.0% of the ceiling',
  ]);
  // Of one intensity, the faster the higher.
  const [direct, strips] = dots.map(([, x, y]) => [Number(x), Number(y)]);
  expect(direct?.[0]).toBe(strips?.[0]);
  expect(direct?.[1]).toBeGreaterThan(strips?.[1] as number);
  const widths = [...page.matchAll(/class="fill( chosen)?" style="width:([\d.]+)%"/g)].map(
    ([, chosen, w]) => [chosen, w],
  );
  expect(widths.slice(0, 3)).toEqual([
    [undefined, '2.00'],
    [' chosen', '50.00'],
    [undefined, '40.00'],
  ]);
  expect(page).toMatch(/tfjs<\/span>.*width:100\.00%/);
  expect(page.match(/<tr><td>/g)).toHaveLength(rows.length);
  expect(page).not.toContain('<mine>');
});

it('shows a bench without ladders, and one without anything', () => {
  for (const few of [rows.slice(-1), []]) {
    const page = benchPage({ ...report, rows: few });
    expect(page).not.toContain('class="roofline"');
    expect(page).toContain('</html>');
  }
});

it('is legible in a light and in a dark browser, and does not overflow a phone', async () => {
  const browser = await testBrowser();
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 390, height: 800 } });
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.setContent(benchPage(report));
    const { text, back, wide } = await page.evaluate(() => {
      const light = (color: string): number =>
        (color.match(/\d+/g) ?? []).slice(0, 3).reduce((a, b) => a + Number(b), 0);
      const style = getComputedStyle(document.body);
      return {
        text: light(style.color),
        back: light(style.backgroundColor),
        wide: document.documentElement.scrollWidth - innerWidth,
      };
    });
    expect(Math.abs(text - back)).toBeGreaterThan(400);
    expect(text < back).toBe(colorScheme === 'light');
    expect(wide).toBeLessThanOrEqual(0);
    expect(errors).toEqual([]);
    await page.close();
  }
});

it('a logarithmic axis holds all values and has ticks within', () => {
  const { low, high, ticks, at } = logScale([0.3, 40], 100, 200);
  expect(low).toBeLessThan(0.3);
  expect(high).toBeGreaterThan(40);
  expect(ticks).toEqual([0.5, 1, 2, 5, 10, 20, 50].filter((t) => t <= high));
  expect(at(low)).toBeCloseTo(100);
  expect(at(high)).toBeCloseTo(200);
  expect(at(Math.sqrt(low * high))).toBeCloseTo(150);
});
