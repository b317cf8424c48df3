import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openWeb, textOf } from './support.js';

async function open(): Promise<Page> {
  const { page } = await openWeb({
    hash: '#kernels',
    prepare: (page) => page.context().grantPermissions(['clipboard-read', 'clipboard-write']),
  });
  await page.getByLabel('Runs of each').fill('1');
  await page.getByLabel('Net').selectOption('tiny');
  await page.getByLabel('Op', { exact: true }).selectOption('conv2d');
  await page.getByLabel('Kernel', { exact: true }).selectOption('direct');
  return page;
}

it('keeps the kernel that was picked while the list was on its way', async () => {
  const page = await open();
  await page.locator('#kernel-file', { hasText: 'src/shaders/conv2d/forward_direct.wgsl' }).waitFor();
  // What comes back from the worker replaces the list, and with it this mark.
  await page.locator('#kernel-variant').evaluate((variant: HTMLSelectElement) => {
    variant.value = 'block';
    document.querySelector('#bench-layer')?.dispatchEvent(new Event('change'));
    variant.value = 'direct';
    variant.dispatchEvent(new Event('change'));
    variant.options[0]?.classList.add('of-old');
  });
  await page.locator('#kernel-variant .of-old').waitFor({ state: 'detached' });
  expect(await page.getByLabel('Kernel', { exact: true }).inputValue()).toBe('direct');
  expect(await textOf(page, '#kernel-file')).toContain('forward_direct');
  await page.close();
});

it('runs a kernel that was edited: right, wrong, and not compiling', async () => {
  const page = await open();
  await page.locator('#kernel-file', { hasText: 'src/shaders/conv2d/forward_direct.wgsl' }).waitFor();
  const source = page.getByLabel('WGSL source');
  const plain = await source.inputValue();
  expect(plain).toMatch(/^\/\//);
  const run = page.getByRole('button', { name: 'Run', exact: true });
  await run.click();
  await page.getByText('Right: it agrees with the reference.').waitFor({ timeout: 90_000 });
  expect(await textOf(page, '#kernel-said')).toMatch(
    /yours: .* ms, .* GFLOP\/s, .* of the ceiling, error .*\ndirect: /s,
  );

  // A kernel that adds what it should not.
  const wrong = plain.replace(/= 0\.0;/, '= 0.25;');
  expect(wrong).not.toBe(plain);
  await source.fill(wrong);
  await source.press('Control+Enter');
  await page.getByText(/^WRONG: /).waitFor({ timeout: 60_000 });

  await source.fill(`${plain}\nfn broken( {`);
  await run.click();
  const line = plain.split('\n').length + 1;
  await page.getByText(new RegExp(`yours\\.wgsl:${line}:\\d+: error:`)).waitFor();
  expect(await source.evaluate((area) => (area as HTMLTextAreaElement).selectionStart)).toBeGreaterThan(
    plain.length,
  );
  await page.getByRole('button', { name: 'Undo all changes' }).click();
  expect(await source.inputValue()).toBe(plain);
});

it('measures the ceiling, a ladder and the whole step, shows them and copies them as JSON', async () => {
  const page = await open();
  await page.getByLabel('Training step').check();
  await page.getByRole('button', { name: 'Measure' }).click();
  await page.getByText(/^Done: \d+ figures/).waitFor({ timeout: 110_000 });
  const results = page.frameLocator('#results');
  await results.getByRole('heading', { name: 'Roofline' }).waitFor();
  expect(await results.locator('svg.roofline').count()).toBeGreaterThan(0);
  expect(await results.locator('.bars .fill').count()).toBeGreaterThan(1);
  await page.getByRole('button', { name: 'Copy JSON' }).click();
  await page.getByText('Copied.').waitFor();
  const report = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  expect(report).toMatchObject({ software: true, adapter: expect.stringMatching(/swiftshader/i) });
  const suites = new Set(report.rows.map(({ suite }: { suite: string }) => suite));
  expect([...suites].sort()).toEqual(['ceiling', 'ladder', 'step']);
});
