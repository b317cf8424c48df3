import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { unpack } from '../../src/node/unpack.js';

const FLAGS = [
  '--no-sandbox',
  '--headless',
  '--lang=en-US',
  '--ignore-gpu-blocklist',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];

export interface Launched {
  readonly browser: Browser;
  /** Ends the browser and removes what it wrote. */
  close(): Promise<void>;
}

/** Starts Chromium with WebGPU on SwiftShader, from npm packages alone. */
export async function launchChromium(): Promise<Launched> {
  const folder = await unpack('browser', [
    'chromium.br',
    'swiftshader.tar.br',
    'al2023.tar.br',
    'fonts.tar.br',
  ]);
  const home = await mkdtemp(path.join(os.tmpdir(), 'shadergrad-browser-'));
  const fonts = path.join(home, 'fonts.conf');
  await writeFile(
    fonts,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${folder}/fonts</dir><cachedir>${home}/fonts</cachedir></fontconfig>`,
  );
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !name.startsWith('VK_')) env[name] = value;
  }
  const browser = await chromium.launch({
    executablePath: path.join(folder, 'chromium'),
    args: FLAGS,
    // A POSIX locale makes a language tag that Intl refuses.
    env: {
      ...env,
      LANG: 'en_US.UTF-8',
      LC_ALL: 'en_US.UTF-8',
      HOME: home,
      LD_LIBRARY_PATH: path.join(folder, 'lib'),
      FONTCONFIG_FILE: fonts,
    },
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
