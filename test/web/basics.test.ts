import { expect, it } from 'vitest';
import { testBrowser } from '../support/browser.js';
import { openWeb, segmented } from './support.js';

/** What a layout-shift entry has of interest. */
interface Shift extends PerformanceEntry {
  readonly value: number;
  readonly sources: readonly { readonly node: Node | null }[];
}

const PARTS = ['segment', 'train', 'kernels'] as const;

/** Texts with less contrast to what is behind them than they must have: 4.5, or 3 where they are large. */
function faintTexts(): string[] {
  type Rgba = [number, number, number, number];
  const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color: string): Rgba => {
    if (!pixel) return [0, 0, 0, 0];
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = color;
    pixel.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0, a = 0] = pixel.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const light = ([r, g, b]: Rgba): number => {
    const [x = 0, y = 0, z = 0] = [r, g, b].map((v) =>
      v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element: Element | null): Rgba => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] > 0.99) return color;
    }
    return [255, 255, 255, 1];
  };
  const faint: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent?.trim() ?? '';
    if (!element || text === '' || !element.checkVisibility() || element.closest('option')) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(rgba(style.color)), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = Number.parseFloat(style.fontSize) >= 24;
    if (contrast < (large ? 3 : 4.5)) faint.push(`${text}: ${contrast.toFixed(2)}`);
  }
  return faint;
}

/** What is said of the work in progress, where it does not fit. */
function cutStatus(): string[] {
  return [...document.querySelectorAll<HTMLElement>('.status p')]
    .filter(
      (p) => p.checkVisibility() && (p.scrollWidth > p.clientWidth || p.scrollHeight > p.clientHeight + 1),
    )
    .map((p) => p.textContent ?? '');
}

it.each([
  'light',
  'dark',
] as const)('has contrast, names, and no sideways scrolling in %s', async (colorScheme) => {
  const { page } = await openWeb({ colorScheme, viewport: { width: 360, height: 740 } });
  await segmented(page);
  const session = await page.context().newCDPSession(page);
  for (const part of PARTS) {
    await page.getByRole('tab', { name: new RegExp(part, 'i') }).click();
    for (const details of await page.locator('details:visible').all())
      await details.evaluate((d) => d.setAttribute('open', ''));
    // What a button is for must be read while it waits, too.
    await page.evaluate(() => {
      for (const button of document.querySelectorAll<HTMLButtonElement>('button.main'))
        button.disabled = true;
    });
    expect(await page.evaluate(faintTexts), part).toEqual([]);
    for (const width of [360, 800, 1600]) {
      await page.setViewportSize({ width, height: 900 });
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth),
        `${part} at ${width}`,
      ).toBeLessThanOrEqual(width);
      expect(await page.evaluate(cutStatus), `${part} at ${width}`).toEqual([]);
    }
    const { nodes } = (await session.send('Accessibility.getFullAXTree')) as {
      nodes: { ignored: boolean; role?: { value: string }; name?: { value: string } }[];
    };
    const controls = [
      'button',
      'slider',
      'checkbox',
      'radio',
      'combobox',
      'textbox',
      'tab',
      'spinbutton',
      'image',
      'progressbar',
      'dialog',
    ];
    const nameless = nodes.filter(
      ({ ignored, role, name }) => !ignored && controls.includes(role?.value ?? '') && !name?.value,
    );
    expect(
      nameless.map(({ role }) => role?.value),
      part,
    ).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
  }
});

it.each([
  { width: 360, height: 740 },
  { width: 1600, height: 1000 },
])('moves nothing while it loads, at $width pixels', async (viewport) => {
  const { page } = await openWeb({
    viewport,
    prepare: (page) =>
      page.addInitScript(() => {
        const shifts: { value: number; of: string }[] = [];
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as Shift[]) {
            const of = entry.sources.map(({ node }) => (node?.parentElement ?? node)?.textContent?.trim());
            shifts.push({ value: entry.value, of: of.join(' | ').slice(0, 200) });
          }
        }).observe({ type: 'layout-shift', buffered: true });
        Object.assign(globalThis, { shifts });
      }),
  });
  await segmented(page);
  const shifts = await page.evaluate(() => (globalThis as unknown as { shifts: Shift[] }).shifts);
  const sum = shifts.reduce((total, { value }) => total + value, 0);
  expect(sum, JSON.stringify(shifts)).toBeLessThan(0.01);
});

it('goes from tab to tab by arrows and addresses, and uses no CPU when idle', async () => {
  const { page } = await openWeb({ hash: '#kernels' });
  expect(await page.locator('#panel-kernels').isVisible()).toBe(true);
  await page.getByRole('tab', { name: 'Kernels' }).focus();
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('#panel-segment').isVisible()).toBe(true);
  expect(new URL(page.url()).hash).toBe('#segment');
  await segmented(page);
  const session = await (await testBrowser()).newBrowserCDPSession();
  const cpu = async (): Promise<number> => {
    const { processInfo } = (await session.send('SystemInfo.getProcessInfo')) as {
      processInfo: { cpuTime: number }[];
    };
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  await page.waitForTimeout(1000);
  const before = await cpu();
  await page.waitForTimeout(3000);
  // All processes of the browser together, in seconds.
  expect((await cpu()) - before).toBeLessThan(0.15);
});

it('copies its diagnostics: adapter, limits, features, versions, times', async () => {
  const { page } = await openWeb({
    prepare: (page) => page.context().grantPermissions(['clipboard-read', 'clipboard-write']),
  });
  await segmented(page);
  await page.getByRole('button', { name: 'Diagnostics' }).click();
  await page.getByText(/^Copied/).waitFor();
  const told = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  expect(told).toMatchObject({ secure: true, gpu: { kind: 'swiftshader', software: true } });
  expect(told.gpu.limits.maxStorageBufferBindingSize).toBeGreaterThan(1e8);
  expect(told.gpu.features).toContain('core-features-and-limits');
  expect(told.segment.times.sliceMs).toBeGreaterThan(0);
  await page.keyboard.press('Escape');
  expect(await page.getByRole('dialog').count()).toBe(0);
});
