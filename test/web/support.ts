import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll } from 'vitest';
import { buildWeb, serveFolder } from '../../scripts/web.mjs';
import { openPage, type PageOptions, type TestPage } from '../support/browser.js';

let served: Promise<{ readonly url: string; readonly end: () => Promise<void> }> | undefined;

async function serve() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'shadergrad-web-'));
  await buildWeb(folder);
  // Whatever models ship, these tests know one, which is small.
  const list = path.join(folder, 'models/models.json');
  const models = JSON.parse(await readFile(list, 'utf8')) as { readonly file: string }[];
  await writeFile(list, JSON.stringify(models.filter(({ file }) => file === 'synthetic-tiny.safetensors')));
  const { server, url } = await serveFolder(folder);
  const end = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  };
  return { url, end };
}

afterAll(async () => {
  await (await served)?.end();
});

/** Opens the page as `npm run web` builds and serves it; built once a test file. */
export async function openWeb(options: PageOptions & { readonly hash?: string } = {}): Promise<TestPage> {
  served ??= serve();
  const { hash = '', ...rest } = options;
  return openPage((await served).url + hash, rest);
}

/** Puts `script` at the head of a worker's file, to make its platform fail. */
export async function patchWorker(page: Page, file: string, script: string): Promise<void> {
  await page.route(`**/${file}`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${script};\n${await response.text()}` });
  });
}

/** Waits until everything open is segmented. */
export async function segmented(page: Page): Promise<void> {
  await page.getByText(/slices? segmented/).waitFor({ timeout: 90_000 });
}

/** A file for the page, from bytes. */
export interface TestFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Drops files on the page. */
export async function drop(page: Page, files: readonly TestFile[]): Promise<void> {
  const transfer = await page.evaluateHandle(
    (list) => {
      const made = new DataTransfer();
      for (const { name, bytes } of list) made.items.add(new File([new Uint8Array(bytes)], name));
      return made;
    },
    files.map(({ name, bytes }) => ({ name, bytes: [...bytes] })),
  );
  for (const type of ['dragenter', 'dragover', 'drop']) {
    await page.dispatchEvent('body', type, { dataTransfer: transfer });
  }
}

export async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? '';
}

/** The bytes of what a click saves, and the file's name. */
export async function saved(page: Page, click: () => Promise<void>): Promise<TestFile> {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  return { name: download.suggestedFilename(), bytes: new Uint8Array(Buffer.concat(chunks)) };
}
