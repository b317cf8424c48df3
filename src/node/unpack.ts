import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { cacheFolder } from './cacheFolder.js';
import { readTar, type TarEntry as UnpackedFile } from './tar.js';

/** The npm package whose folder `bin` carries SwiftShader, Chromium and the libraries Chromium needs. */
const PACKAGE = '@sparticuz/chromium';

/** A compressed file of that package. */
export type Archive = 'swiftshader.tar.br' | 'al2023.tar.br' | 'fonts.tar.br' | 'chromium.br';

/**
 * Unpacks files of the package into one folder of the user's cache, once per version, and returns the folder.
 * It appears there whole or not at all, however many processes try at once.
 */
export async function unpack(folderName: string, archives: readonly Archive[]): Promise<string> {
  const { folder, version } = await locatePackage();
  const name = `${folderName}-${version}`;
  for (const cache of cacheFolders()) {
    if (await isOwnFolder(path.join(cache, name))) return path.join(cache, name);
  }

  const files: UnpackedFile[] = [];
  for (const archive of archives) {
    const bytes = await promisify(brotliDecompress)(await readFile(path.join(folder, 'bin', archive)));
    if (archive.endsWith('.tar.br')) files.push(...readTar(bytes));
    else files.push({ name: archive.replace(/\.br$/, ''), mode: 0o755, data: bytes });
  }
  let failure: unknown;
  for (const cache of cacheFolders()) {
    try {
      return await place(cache, name, files);
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(
    `There is no folder to unpack ${folderName} into (tried ${cacheFolders().join(' and ')}): ${(failure as Error).message}. Set XDG_CACHE_HOME to a writable folder.`,
    { cause: failure },
  );
}

async function place(cache: string, name: string, files: readonly UnpackedFile[]): Promise<string> {
  const target = path.join(cache, name);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  // In a shared temporary folder someone else may have made it first, and we are about to load programs from it.
  if (!(await isOwnFolder(cache))) throw new Error(`${cache} belongs to another user`);
  const draft = await mkdtemp(path.join(cache, `${name}-`));
  try {
    for (const file of files) {
      const to = path.join(draft, file.name);
      if (!to.startsWith(draft + path.sep)) throw new Error(`${file.name} climbs out of its archive`);
      await mkdir(path.dirname(to), { recursive: true });
      await writeFile(to, file.data, { mode: file.mode | 0o400, flush: true });
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await isOwnFolder(target))) throw error;
  }
  return target;
}

async function locatePackage(): Promise<{ folder: string; version: string }> {
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve(PACKAGE);
  } catch (cause) {
    throw new Error(`The npm package ${PACKAGE} is not installed: run npm install ${PACKAGE}.`, { cause });
  }
  // The package does not export its package.json, so walk up to it from the file it does export.
  let folder = path.dirname(entry);
  while (!folder.endsWith(path.join(...PACKAGE.split('/')))) folder = path.dirname(folder);
  const { version } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
    version: string;
  };
  return { folder, version };
}

function cacheFolders(): string[] {
  const user = process.getuid?.() ?? 'user';
  return [cacheFolder(), path.join(os.tmpdir(), `shadergrad-${user}`)];
}

async function isOwnFolder(folder: string): Promise<boolean> {
  try {
    const found = await stat(folder);
    return found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
  } catch {
    return false;
  }
}
