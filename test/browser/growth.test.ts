import { expect, it } from 'vitest';
import { openModule } from '../support/browser.js';
import type { GrowthApi } from './pages/growth.js';

declare const api: GrowthApi;

it('does not grow over 200 predictions', async () => {
  const { page } = await openModule('test/browser/pages/growth.ts');
  await page.waitForFunction(() => 'api' in globalThis);
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  const measure = async (predictions: number) => {
    const gpu = await page.evaluate((n) => api.predict(n), predictions);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    return { ...gpu, usedSize };
  };
  const before = await measure(20);
  const after = await measure(200);
  await page.evaluate(() => api.close());
  // The counting itself is seen to work.
  expect(before.buffers).toBeGreaterThan(2);
  expect(before.pipelines).toBeGreaterThan(2);
  expect(after).toMatchObject({
    buffers: before.buffers,
    pipelines: before.pipelines,
    bindGroups: before.bindGroups,
  });
  expect(after.usedSize - before.usedSize).toBeLessThan(200_000);
});
