// Takes the pictures of the page in docs/images/: node scripts/run.mjs scripts/webShots.ts [OUT]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { launchChromium } from '../test/support/chromium.js';

const out = process.argv[2] ?? 'docs/images';

const SIZES = [
  [360, 740],
  [800, 900],
  [1600, 1000],
] as const;

await mkdir(out, { recursive: true });
const server = spawn(process.execPath, ['scripts/web.mjs', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [said] = (await once(server.stdout, 'data')) as [Buffer];
const url = /http:\S+/.exec(String(said))?.[0];
if (url === undefined) throw new Error(`The page's server said: ${said}`);
const { browser, close } = await launchChromium();
try {
  for (const scheme of ['light', 'dark'] as const) {
    for (const [width, height] of SIZES) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
      page.on('console', (message) => console.log(message.text()));
      page.on('pageerror', (error) => console.log(error.message));
      await page.goto(url);
      await page.getByText(/slices segmented/).waitFor({ timeout: 120_000 });
      await page.screenshot({ path: path.join(out, `web-segment-${width}-${scheme}.png`) });
      await page.getByRole('tab', { name: 'Train' }).click();
      await page.getByRole('button', { name: 'Start' }).click();
      await page.getByText(/^Done/).waitFor({ timeout: 300_000 });
      await page.screenshot({ path: path.join(out, `web-train-${width}-${scheme}.png`) });
      await page.getByRole('tab', { name: 'Kernels' }).click();
      await page.getByLabel('Op', { exact: true }).selectOption('conv2d');
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await page.getByText(/^Right: it agrees/).waitFor({ timeout: 300_000 });
      await page.getByRole('button', { name: 'Measure' }).click();
      await page
        .getByText(/^Done: /)
        .last()
        .waitFor({ timeout: 300_000 });
      await page.screenshot({ path: path.join(out, `web-kernels-${width}-${scheme}.png`), fullPage: true });
      await page.close();
    }
  }
} finally {
  await close();
  server.kill();
}
