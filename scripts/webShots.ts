// Takes the pictures of the page in docs/images/: node scripts/run.mjs scripts/webShots.ts [OUT]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { launchChromium } from '../test/support/chromium.js';

const out = process.argv[2] ?? 'docs/images';
const PATIENCE = { timeout: 300_000 };

type Part = 'segment' | 'train' | 'kernels';

/** What is done in a part before its picture is taken. */
const SCENES: Readonly<Record<Part, (page: Page) => Promise<unknown>>> = {
  segment: (page) => page.getByText(/slices segmented/).waitFor(PATIENCE),
  async train(page) {
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText(/^Done/).waitFor(PATIENCE);
  },
  async kernels(page) {
    await page.getByLabel('Net').selectOption('tiny');
    await page.getByLabel('Op', { exact: true }).selectOption('conv2d');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText(/^Right: it agrees/).waitFor(PATIENCE);
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByText(/^Done: /).waitFor(PATIENCE);
  },
};

const SHOTS: readonly (readonly [part: Part, width: number, height: number, scheme: 'light' | 'dark'])[] = [
  ['segment', 1280, 820, 'light'],
  ['segment', 360, 740, 'dark'],
  ['train', 1280, 820, 'dark'],
  ['kernels', 1280, 1600, 'light'],
];

await mkdir(out, { recursive: true });
const server = spawn(process.execPath, ['scripts/web.mjs', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [said] = (await once(server.stdout, 'data')) as [Buffer];
const url = /http:\S+/.exec(String(said))?.[0];
if (url === undefined) throw new Error(`The page's server said: ${said}`);
const { browser, close } = await launchChromium();
try {
  for (const [part, width, height, colorScheme] of SHOTS) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    page.on('pageerror', (error) => console.error(error.message));
    await page.goto(`${url}#${part}`);
    await SCENES[part](page);
    await page.screenshot({ path: path.join(out, `web-${part}-${width}.png`) });
    await page.close();
  }
} finally {
  await close();
  server.kill();
}
