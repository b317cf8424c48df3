import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tolerance } from '../ops/case.js';
import { cases } from '../ops/cases.js';
import { relativeError } from '../reference/array.js';
import { openModule, type TestPage } from '../support/browser.js';
import { testDevice } from '../support/device.js';
import type { EngineApi } from './pages/engine.js';
import { caseResults, trainTinyUNet } from './work.js';

declare const api: EngineApi;

/** How many cases a page is given at a time. */
const BATCH = 20;

let opened: TestPage;

beforeAll(async () => {
  opened = await openModule('test/browser/pages/engine.ts');
  await opened.page.waitForFunction(() => 'api' in globalThis);
});

afterAll(async () => {
  await opened.page.evaluate(() => api.close());
});

describe('every op and gradient is in a page what it is in Node', () => {
  for (let from = 0; from < cases.length; from += BATCH) {
    const to = Math.min(cases.length, from + BATCH);
    it(`cases ${from + 1} to ${to} of ${cases.length}`, async () => {
      const there = await opened.page.evaluate(([a, b]) => api.caseResults(a, b), [from, to] as const);
      const here = await caseResults(await testDevice(), from, to);
      expect(there.map(({ name }) => name)).toEqual(here.map(({ name }) => name));
      here.forEach(({ name, arrays }, i) => {
        const one = cases[from + i];
        if (!one) throw new Error(`${name} is no case`);
        arrays.forEach((array, k) => {
          const other = there[i]?.arrays[k] ?? [];
          expect(
            relativeError(other, array),
            `${name}, ${k === 0 ? 'value' : `gradient ${k}`}`,
          ).toBeLessThanOrEqual(tolerance(one));
        });
      });
    });
  }
});

it('ten training steps of a U-Net, and its answer after them, are in a page what they are in Node', async () => {
  const there = await opened.page.evaluate(() => api.trainTinyUNet());
  const here = await trainTinyUNet(await testDevice());
  expect(here.losses.at(-1)).toBeLessThan(here.losses[0] as number);
  expect(relativeError(there.losses, here.losses)).toBeLessThanOrEqual(1e-5);
  expect(relativeError(there.probabilities, here.probabilities)).toBeLessThanOrEqual(1e-5);
}, 300_000);
