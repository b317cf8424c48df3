/** Weights over the network, with progress in bytes, kept in the browser's cache. */
import { CodedError } from '../rpc/failure.js';
import type { ModelEntry } from './protocol.js';

const CACHE = 'shadergrad-weights';

/** Not there on insecure pages, and refused in some private windows. */
async function openCache(): Promise<Cache | null> {
  try {
    return await caches.open(CACHE);
  } catch {
    return null;
  }
}

/** A model's bytes, from the cache where they are in it. @throws CodedError where they cannot be fetched */
export async function fetchWeights(
  { file, version, bytes }: ModelEntry,
  onProgress: (done: number, total: number) => void,
): Promise<{ bytes: Uint8Array; from: 'network' | 'cache' }> {
  const url = new URL(`models/${file}?${version}`, import.meta.url).href;
  const cache = await openCache();
  const kept = await cache?.match(url);
  if (kept) return { bytes: new Uint8Array(await kept.arrayBuffer()), from: 'cache' };
  const got = await download(url, file, bytes, onProgress);
  // Of this model only the version at hand is kept. A full disk is no reason to fail.
  for (const request of (await cache?.keys()) ?? []) {
    if (new URL(request.url).pathname === new URL(url).pathname) await cache?.delete(request);
  }
  await cache?.put(url, new Response(got)).catch(() => {});
  return { bytes: got, from: 'network' };
}

/** How many bytes of weights are cached. */
export async function cachedBytes(): Promise<number> {
  const cache = await openCache();
  let sum = 0;
  for (const request of (await cache?.keys()) ?? []) {
    sum += (await (await cache?.match(request))?.blob())?.size ?? 0;
  }
  return sum;
}

export async function clearCache(): Promise<void> {
  await caches.delete(CACHE);
}

async function download(
  url: string,
  file: string,
  total: number,
  onProgress: (done: number, total: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new CodedError('weights', `${file} could not be fetched: the server does not answer.`);
  }
  if (!response.ok || !response.body) {
    throw new CodedError('weights', `${file} could not be fetched: the server answers ${response.status}.`);
  }
  const bytes = new Uint8Array(total);
  let done = 0;
  onProgress(0, total);
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { value, done: ended } = await reader.read();
      if (ended) break;
      if (done + value.length > total) throw new RangeError('longer than it should be');
      bytes.set(value, done);
      done += value.length;
      onProgress(done, total);
    }
  } catch {
    done = -1;
  }
  if (done !== total) {
    throw new CodedError('weights', `${file} did not come whole: the connection broke.`);
  }
  return bytes;
}
