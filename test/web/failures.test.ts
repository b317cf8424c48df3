import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { openWeb, patchWorker, segmented, textOf } from './support.js';

/** Keeps the worker's device at hand, so that a test can lose it. */
const KEEP_DEVICE = `
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    self.lastDevice = await request.call(this, descriptor);
    return self.lastDevice;
  }`;

/** No buffer fits until \`self.enough\` is set. */
const NO_MEMORY = `
  const scopes = [];
  const { pushErrorScope, popErrorScope } = GPUDevice.prototype;
  GPUDevice.prototype.pushErrorScope = function (filter) {
    scopes.push(filter);
    return pushErrorScope.call(this, filter);
  };
  GPUDevice.prototype.popErrorScope = function () {
    const filter = scopes.pop();
    const verdict = popErrorScope.call(this);
    return filter === 'out-of-memory' && !self.enough
      ? verdict.then(() => new GPUOutOfMemoryError('no room'))
      : verdict;
  }`;

const SMALL = `
  Object.defineProperty(GPUSupportedLimits.prototype, 'maxStorageBufferBindingSize', { get: () => 65536 })`;

async function failure(page: Page, code: string): Promise<string> {
  const alert = page.locator(`.failure[data-code="${code}"]`);
  await alert.waitFor({ timeout: 30_000 });
  return (await alert.textContent()) ?? '';
}

it.each([
  [
    'no-api',
    () => Reflect.deleteProperty(Navigator.prototype, 'gpu'),
    /This browser has no WebGPU.*Open this page in a current Chrome/s,
  ],
  [
    'insecure-context',
    () => {
      Reflect.deleteProperty(Navigator.prototype, 'gpu');
      Object.defineProperty(globalThis, 'isSecureContext', { value: false });
    },
    /secure pages only.*https.*127\.0\.0\.1/s,
  ],
] as const)('says that there is %s, and is no dead page', async (code, breakIt, words) => {
  const { page } = await openWeb({ prepare: (page) => page.addInitScript(breakIt) });
  expect(await failure(page, code)).toMatch(words);
  expect(await textOf(page, '#gpu-status')).toBe('No GPU');
  // The slices can be looked at all the same, and Diagnostics tells.
  await page.getByText(/of 16, 128 × 128/).waitFor();
  await page.getByRole('button', { name: 'Diagnostics' }).click();
  expect(await page.getByLabel('Diagnostics as JSON').inputValue()).toContain(`"code": "${code}"`);
});

it('says that no adapter was found, and looks again when asked', async () => {
  const { page } = await openWeb({
    prepare: (page) =>
      page.addInitScript(() => {
        const { requestAdapter } = GPU.prototype;
        GPU.prototype.requestAdapter = async () => null;
        Object.assign(globalThis, {
          mend: () => {
            GPU.prototype.requestAdapter = requestAdapter;
          },
        });
      }),
  });
  expect(await failure(page, 'no-adapter')).toMatch(/hardware acceleration/);
  await page.evaluate('mend()');
  await page.getByRole('button', { name: 'Look again' }).click();
  await segmented(page);
  expect(await page.locator('.failure').count()).toBe(0);
});

it('says what a model needs and what the adapter has', async () => {
  const { page } = await openWeb({ prepare: (page) => patchWorker(page, 'segment-worker.js', SMALL) });
  expect(await failure(page, 'adapter-too-small')).toMatch(
    /needs a binding of \d+ bytes, but this adapter allows 65536 .*smaller model/s,
  );
});

it('says that memory is out, and tries again', async () => {
  const { page } = await openWeb({ prepare: (page) => patchWorker(page, 'segment-worker.js', NO_MEMORY) });
  expect(await failure(page, 'out-of-memory')).toMatch(/no room.*Close other pages/s);
  await page.workers()[0]?.evaluate('self.enough = true');
  await page.getByRole('button', { name: 'Try again' }).click();
  await segmented(page);
});

it('says that the device was lost, and opens it again', async () => {
  const { page } = await openWeb({ prepare: (page) => patchWorker(page, 'segment-worker.js', KEEP_DEVICE) });
  await segmented(page);
  await page.workers()[0]?.evaluate('self.lastDevice.destroy()');
  expect(await failure(page, 'lost')).toMatch(/GPU was lost.*what you loaded is still here/s);
  await page.getByRole('button', { name: 'Open it again' }).click();
  await segmented(page);
  expect(await page.locator('.failure').count()).toBe(0);
});

it('says that weights could not be fetched, or a part not loaded, and tries again', async () => {
  const opened = await openWeb({
    prepare: (page) => page.route('**/models/*.safetensors*', (route) => route.abort()),
  });
  const { page, errors } = opened;
  expect(await failure(page, 'weights')).toMatch(/the server does not answer/);
  await page.unroute('**/models/*.safetensors*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await segmented(page);
  const other = await openWeb({
    prepare: (page) => page.route('**/segment-worker.js', (route) => route.abort()),
  });
  expect(await failure(other.page, 'part')).toMatch(/segment-worker\.js/);
  await other.page.unroute('**/segment-worker.js');
  await other.page.getByRole('button', { name: 'Start again' }).click();
  await segmented(other.page);
  // These requests were broken on purpose.
  const unexpected = [...errors.splice(0), ...other.errors.splice(0)].filter(
    (text) => !/ERR_FAILED|ERR_ABORTED/.test(text),
  );
  expect(unexpected).toEqual([]);
});
