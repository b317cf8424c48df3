import { expect, it } from 'vitest';
import { openModule } from '../support/browser.js';
import type { DeviceApi } from './pages/device.js';

declare const api: DeviceApi;

it('opens a device in a page and tells its adapter', async () => {
  const { page } = await openModule('test/browser/pages/device.ts');
  const device = await page.evaluate(() => api.open());
  expect(device).toMatchObject({ kind: 'swiftshader', software: true });
  expect(device.features).toContain('core-features-and-limits');
});

it('tells GPU errors and loss in a page as in Node', async () => {
  const { page } = await openModule('test/browser/pages/device.ts');
  expect(await page.evaluate(() => api.failures())).toEqual(['validation', 'validation', 'lost']);
});
