import {
  type AdapterInfo,
  type Device,
  GpuError,
  isSoftware,
  kindOf,
  nameOf,
  type OpenDeviceOptions,
  openDevice,
  readInfo,
} from '../engine/device.js';
import { everyKernel } from '../everyKernel.js';
import { restWhile } from './rest.js';
import { hasVulkanLoader, withSwiftShader } from './swiftshader.js';

export interface OpenNodeDeviceOptions
  extends Pick<OpenDeviceOptions, 'powerPreference' | 'features' | 'limits' | 'onError'> {
  /**
   * `auto`: what the system offers, else SwiftShader from npm. `software`: an adapter that runs on the CPU. `swiftshader`: the one from npm.
   * Anything else: a part of the name of one of the system's adapters (`llvmpipe`, `nvidia`).
   * Default: the environment variable SHADERGRAD_ADAPTER, else `auto`.
   */
  readonly adapter?: string | undefined;
  /**
   * Dawn's toggles to switch on, such as `disable_robustness`. Two are on: `vulkan_enable_f16_on_nvidia`, without which
   * NVIDIA has no f16, and `allow_unsafe_apis`, without which no device has subgroup matrices; of what else that one
   * allows, nothing is asked for.
   */
  readonly enableToggles?: readonly string[] | undefined;
  /** Dawn's toggles to switch off. Timestamps are never rounded here, whatever this says. */
  readonly disableToggles?: readonly string[] | undefined;
}

/** An adapter that {@link openNodeDevice} can open. */
export interface NodeAdapter {
  /** What to pass as `adapter`. */
  readonly name: string;
  /** `llvmpipe`, `swiftshader`, `nvidia`, `amd`, `intel`, `apple`, `other`. */
  readonly kind: string;
  readonly software: boolean;
  readonly origin: 'system' | 'npm';
  readonly info: AdapterInfo;
}

type Create = (flags: string[]) => GPU;

// Dawn crashes when its entry point is collected while something made from it lives: each stays for the process's life.
const entryPoints = new Map<string, GPU>();

/**
 * Opens a device through Dawn: one of the system's adapters, or else SwiftShader out of npm, which needs neither root nor
 * system packages. It has all kernels there are.
 *
 * @throws GpuError with one sentence when there is none that fits.
 */
export async function openNodeDevice(options: OpenNodeDeviceOptions = {}): Promise<Device> {
  const { features, limits, onError } = options;
  const adapter = await requestNodeAdapter(options);
  const own = { kernels: everyKernel, onWait: restWhile };
  const device = await openDevice({ adapter, features, limits, onError, ...own });
  endWith(device.gpu);
  return device;
}

const open = new Set<GPUDevice>();
let watches = false;
let endsByItself = false;

/**
 * Gives a device back where `process.exit` or an error ends the process: adapters that run on the CPU go on with what they
 * have been given while the process is taken apart, and SwiftShader crashed in one run of four. A process that ends by
 * itself needs none of it, and waits still open there must not be told of a loss.
 */
function endWith(gpu: GPUDevice): void {
  open.add(gpu);
  gpu.lost.then(() => open.delete(gpu));
  if (watches) return;
  watches = true;
  process.once('beforeExit', () => {
    endsByItself = true;
  });
  process.once('exit', () => {
    if (!endsByItself) for (const one of open) one.destroy();
  });
}

/**
 * The adapter that {@link openNodeDevice} would open, for those who make their own device of it. Each call gives a new one.
 *
 * @throws GpuError with one sentence when there is none that fits.
 */
export async function requestNodeAdapter(
  options: Pick<
    OpenNodeDeviceOptions,
    'adapter' | 'powerPreference' | 'enableToggles' | 'disableToggles'
  > = {},
): Promise<GPUAdapter> {
  const create = await loadDawn();
  const wanted = (options.adapter || process.env.SHADERGRAD_ADAPTER || 'auto').toLowerCase();
  const toggles = toggleFlags(options);
  const { powerPreference } = options;

  if (wanted === 'auto') {
    const adapter = await systemAdapter(create, toggles, undefined, powerPreference);
    return adapter ?? swiftShader(create, toggles, 'the system offers no adapter that Dawn accepts');
  }
  if (wanted === 'swiftshader') return swiftShader(create, toggles);

  const names = await systemNames(create);
  for (const name of names) {
    if (wanted !== 'software' && !name.toLowerCase().includes(wanted)) continue;
    const adapter = await systemAdapter(create, toggles, name, powerPreference);
    if (adapter && (wanted !== 'software' || isSoftware(readInfo(adapter)))) return adapter;
  }
  if (wanted === 'software') return swiftShader(create, toggles);
  throw new GpuError(
    'no-adapter',
    `No adapter's name contains "${wanted}"; there is: ${[...names, 'swiftshader'].join(', ')}.`,
  );
}

/** All adapters that {@link openNodeDevice} can open here, the system's first. */
export async function listNodeAdapters(): Promise<NodeAdapter[]> {
  const create = await loadDawn();
  const found: NodeAdapter[] = [];
  for (const name of await systemNames(create)) {
    const adapter = await systemAdapter(create, toggleFlags({}), name);
    if (adapter) found.push(entryOf(adapter, name, 'system'));
  }
  try {
    found.push(entryOf(await swiftShader(create, toggleFlags({})), 'swiftshader', 'npm'));
  } catch {
    // What cannot be opened is not listed.
  }
  return found;
}

function entryOf(adapter: GPUAdapter, name: string, origin: 'system' | 'npm'): NodeAdapter {
  const info = readInfo(adapter);
  return { name, kind: kindOf(info), software: isSoftware(readInfo(adapter)), origin, info };
}

async function loadDawn(): Promise<Create> {
  try {
    const dawn = (await import('webgpu')) as { create: Create };
    return dawn.create;
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new GpuError(
      'no-api',
      `Dawn, the npm package webgpu, does not load on ${process.platform} ${process.arch}: ${why}. Reinstall it with npm ci.`,
      { cause },
    );
  }
}

function toggleFlags(options: Pick<OpenNodeDeviceOptions, 'enableToggles' | 'disableToggles'>): string[] {
  const off = new Set(['timestamp_quantization', ...(options.disableToggles ?? [])]);
  const flags = [`disable-dawn-features=${[...off].join(',')}`];
  const on = new Set(['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', ...(options.enableToggles ?? [])]);
  for (const toggle of options.disableToggles ?? []) on.delete(toggle);
  flags.push(`enable-dawn-features=${[...on].join(',')}`);
  return flags;
}

/** Names of the system's adapters, as Dawn tells them when asked for one that cannot be. */
async function systemNames(create: Create): Promise<string[]> {
  if (!hasVulkanLoader()) return [];
  try {
    await create(['adapter=\u0001']).requestAdapter();
  } catch (error) {
    const names = [...(error as Error).message.matchAll(/backend: '([^']*)', name: '(.*)'/g)]
      .filter(([, backend]) => backend !== 'null')
      .map(([, , name]) => name as string);
    return [...new Set(names)];
  }
  return [];
}

async function systemAdapter(
  create: Create,
  toggles: readonly string[],
  name?: string,
  powerPreference?: GPUPowerPreference,
): Promise<GPUAdapter | null> {
  if (!hasVulkanLoader()) return null;
  const flags = name === undefined ? [...toggles] : [...toggles, `adapter=${name}`];
  return requestAdapter(create, `system ${flags.join(' ')}`, flags, powerPreference);
}

async function swiftShader(
  create: Create,
  toggles: readonly string[],
  because?: string,
): Promise<GPUAdapter> {
  const start =
    because === undefined
      ? 'SwiftShader cannot be used'
      : `There is no WebGPU adapter: ${because}, and SwiftShader cannot be used`;
  let adapter: GPUAdapter | null;
  try {
    adapter = await withSwiftShader(() => requestAdapter(create, `npm ${toggles.join(' ')}`, [...toggles]));
  } catch (cause) {
    throw new GpuError(
      'no-adapter',
      `${start} (${(cause as Error).message}). Install a Vulkan driver for your GPU.`,
      { cause },
    );
  }
  if (adapter && kindOf(readInfo(adapter)) === 'swiftshader') return adapter;
  const got = adapter ? `Vulkan gave ${nameOf(readInfo(adapter))} instead` : 'Dawn did not accept it';
  throw new GpuError('no-adapter', `${start} (${got}). Install a Vulkan driver for your GPU.`);
}

async function requestAdapter(
  create: Create,
  key: string,
  flags: string[],
  powerPreference?: GPUPowerPreference,
): Promise<GPUAdapter | null> {
  const gpu = entryPoints.get(key) ?? create(flags);
  entryPoints.set(key, gpu);
  const adapter = await gpu.requestAdapter(powerPreference ? { powerPreference } : {});
  // An entry point that found nothing is not asked again: drivers may be there by then.
  if (!adapter) entryPoints.delete(key);
  return adapter;
}
