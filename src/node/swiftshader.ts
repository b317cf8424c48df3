import os from 'node:os';
import path from 'node:path';
import { unpack } from './unpack.js';

/** Keeps a library loaded although Node, finding no addon in it, closes it again. */
const RTLD_NODELETE = 0x1000;

/** The two names Vulkan loaders, newer and older, read the list of drivers from. */
const DRIVER_VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'] as const;

/**
 * Runs `work` while Vulkan sees SwiftShader as its only driver. The system need have neither driver nor Vulkan loader: both come from npm.
 *
 * @throws Error where SwiftShader is not to be had.
 */
export async function withSwiftShader<T>(work: () => Promise<T>): Promise<T> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `SwiftShader comes along for Linux on x64 only, and this is ${process.platform} on ${process.arch}`,
    );
  }
  const folder = await unpack('swiftshader', ['swiftshader.tar.br']);
  // Dawn asks for "libvulkan.so.1" by name and takes one already in the process, wherever it came from.
  const loader = path.join(folder, 'libvulkan.so.1');
  const failure = loadLibrary(loader, os.constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  if (failure !== null) throw new Error(`${loader} does not load: ${failure}`);
  const before = DRIVER_VARIABLES.map((name) => process.env[name]);
  for (const name of DRIVER_VARIABLES) process.env[name] = path.join(folder, 'vk_swiftshader_icd.json');
  try {
    return await work();
  } finally {
    DRIVER_VARIABLES.forEach((name, i) => {
      const value = before[i];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    });
  }
}

/** False where Dawn would look for Vulkan in vain, which it complains about on the console. */
export function hasVulkanLoader(): boolean {
  return (
    process.platform !== 'linux' || loadLibrary('libvulkan.so.1', os.constants.dlopen.RTLD_LAZY) === null
  );
}

/** Loads a shared library that is no Node addon; null, or why it could not be. */
function loadLibrary(file: string, flags: number): string | null {
  try {
    process.dlopen({ exports: {} }, file, flags);
  } catch (error) {
    const { message } = error as Error;
    // Node says this of every library that is no addon, after having loaded it.
    if (!message.includes('self-register')) return message;
  }
  return null;
}
