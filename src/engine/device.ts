import { ShaderGradError } from './errors.js';
import type { DeviceFacts, DeviceLimits } from './kernel.js';
import type { MoreKernels } from './kernels/moreKernels.js';
import type { TuningTable } from './tuning/table.js';

/** Which of the ways a GPU can fail this is, so that a caller can offer the right remedy. */
export type GpuErrorCode =
  | 'no-api'
  | 'insecure-context'
  | 'no-adapter'
  | 'null-backend'
  | 'adapter-too-small'
  | 'no-device'
  | 'lost'
  | 'closed'
  | 'out-of-memory'
  | 'validation'
  | 'internal';

/** A failure of the GPU or of opening it: one clear sentence, and {@link code} to tell the cases apart. */
export class GpuError extends ShaderGradError {
  override name = 'GpuError';

  constructor(
    readonly code: GpuErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** What the adapter says of itself. Browsers may leave any of it empty. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly subgroupMinSize: number | undefined;
  readonly subgroupMaxSize: number | undefined;
  readonly isFallbackAdapter: boolean;
}

export interface OpenDeviceOptions {
  /** The WebGPU entry point. Default: the global `navigator.gpu`. */
  readonly gpu?: GPU | undefined;
  /** An adapter already chosen, or a part of the wanted adapter's name; `auto` (default) takes what the platform prefers. */
  readonly adapter?: GPUAdapter | string | undefined;
  readonly powerPreference?: GPUPowerPreference | undefined;
  /** True: only an adapter that runs on the CPU; false: never such a one; default: whatever there is. */
  readonly software?: boolean | undefined;
  /** Features the caller cannot do without. All others that the engine can use are requested where the adapter has them. */
  readonly features?: readonly string[] | undefined;
  /** Limits the caller cannot do without, for instance a model's largest tensor. The device gets all that the adapter has. */
  readonly limits?: Partial<DeviceLimits> | undefined;
  /**
   * Kernels for plans to choose from beside the engine's own: `softwareKernels` of `shadergrad/software`, where the
   * adapter may be one that runs on the CPU.
   */
  readonly kernels?: MoreKernels | undefined;
  /** Told of a GPU error that comes while nothing awaits the device. Default: `console.error`. */
  readonly onError?: ((error: GpuError) => void) | undefined;
  /** Told of each wait for the GPU as it begins, with what says whether it goes on: where results are polled, to rest. */
  readonly onWait?: ((isOpen: () => boolean) => void) | undefined;
}

/** Features the engine uses where they are. */
const FEATURES = [
  'shader-f16',
  'timestamp-query',
  'subgroups',
  'subgroup-size-control',
  'chromium-experimental-subgroup-matrix',
] as const;

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxUniformBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
  'minStorageBufferOffsetAlignment',
] as const satisfies readonly (keyof DeviceLimits)[];

/** Longest time in which the report of a loss is waited for, once something failed that a loss makes fail. */
const REPORT_MS = 1000;

/** What the page or process around us may offer. Reading it needs neither the DOM nor Node. */
interface Surroundings {
  readonly navigator?: { readonly gpu?: GPU };
  readonly isSecureContext?: boolean;
}

/**
 * Opens a WebGPU device: chooses the adapter, requests all its limits and the features the engine can use.
 *
 * @throws GpuError with one sentence and a code when there is no WebGPU, no adapter, or one that is too small.
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  const adapter = await chooseAdapter(options);
  const info = readInfo(adapter);
  refuseNullBackend(info);
  checkNeeds(adapter, info, options);

  const requiredLimits: Record<string, number> = {};
  for (const name of LIMITS) {
    const value = adapter.limits[name];
    if (value !== undefined) requiredLimits[name] = value;
  }
  const wanted = new Set<string>([...FEATURES, ...(options.features ?? [])]);
  const requiredFeatures = [...wanted].filter((name) => adapter.features.has(name)) as GPUFeatureName[];

  let gpu: GPUDevice;
  try {
    gpu = await adapter.requestDevice({ requiredLimits, requiredFeatures, label: 'shadergrad' });
  } catch (cause) {
    throw new GpuError(
      'no-device',
      `The adapter ${nameOf(info)} gave no device: ${sentence(textOf(cause))}`,
      { cause },
    );
  }
  const { kernels, onError, onWait } = options;
  return new Device(gpu, info, onError, kernels, onWait, await kernels?.facts?.(gpu));
}

/** A WebGPU device, what a plan may know of it, and a guard so that no GPU error passes unseen. */
export class Device {
  /** For plans: limits and features as granted, and the class of adapter. */
  readonly facts: DeviceFacts;
  /**
   * The tuning table for programs compiled on this device that are given none: set it before compiling. Undefined: what
   * ships for this kind of device. Null: no table.
   */
  tuning: TuningTable | null | undefined;
  /** Rejects with the first GPU error or with the loss of the device; never resolves. */
  readonly failed: Promise<never>;

  #first: GpuError | null = null;
  #told = false;
  #isLost = false;
  #closing: Promise<void> | null = null;
  #rejectFailed: (error: GpuError) => void = () => {};
  // A set rather than Promise.race on `failed`: each race would stay attached to that promise for the device's whole life.
  readonly #waiting = new Set<(error: GpuError) => void>();

  constructor(
    /** The device itself, for buffers, pipelines and submissions. */
    readonly gpu: GPUDevice,
    /** The adapter's own words. */
    readonly info: AdapterInfo,
    private readonly onError: (error: GpuError) => void = (error) =>
      console.error(`${error.name}: ${error.message}`),
    /** What programs compiled on this device have to choose from beside the engine's own. */
    readonly kernels?: MoreKernels | undefined,
    private readonly onWait?: OpenDeviceOptions['onWait'],
    /** What `kernels` ask of it. */
    more?: Partial<DeviceFacts>,
  ) {
    this.facts = { ...factsOf(gpu, info), ...more };
    this.failed = new Promise<never>((_, reject) => {
      this.#rejectFailed = reject;
    });
    this.failed.catch(() => {});
    gpu.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.#record(this.#wrap(event.error));
    });
    gpu.lost.then((loss) => {
      this.#isLost = true;
      if (this.#closing) return;
      const why = loss.message.trim() === '' ? `no reason was given (${loss.reason})` : textOf(loss);
      this.#record(
        new GpuError(
          'lost',
          `The GPU device ${this.name} was lost: ${sentence(why)} Open a new one to go on.`,
        ),
      );
    });
  }

  /** The adapter in a few words: `llvmpipe: Mesa 25.0.7`. */
  get name(): string {
    return nameOf(this.info);
  }

  /** The adapter as it is told to people, software or not. */
  get summary(): string {
    return this.facts.software ? `${this.name} (software, on the CPU: far slower than a GPU)` : this.name;
  }

  get closed(): boolean {
    return this.#closing !== null;
  }

  /** @throws GpuError the first GPU error there was, or that the device is closed. */
  check(): void {
    if (this.#first) {
      this.#told = true;
      throw this.#first;
    }
    if (this.#closing) throw this.#closedError();
  }

  /** Waits for `work`, and rejects as soon as the device fails, is lost or is closed, so that no wait hangs on a dead device. */
  guard<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const fail = (error: GpuError): void => {
        this.#waiting.delete(fail);
        this.#told = true;
        reject(error);
      };
      this.#waiting.add(fail);
      if (this.#first) return fail(this.#first);
      if (this.#closing) return fail(this.#closedError());
      this.onWait?.(() => this.#waiting.has(fail));
      work.then(
        (value) => {
          if (this.#waiting.delete(fail)) resolve(value);
        },
        (cause) => {
          // A loss rejects what was mapped some time before it is reported itself; the report says more, so let it come first.
          setTimeout(() => {
            if (this.#waiting.has(fail)) fail(cause instanceof GpuError ? cause : this.#wrap(cause));
          }, REPORT_MS);
        },
      );
    });
  }

  /**
   * Runs `make` (which must be synchronous) in error scopes and waits for their verdict: a wrong shader or a full memory
   * becomes a rejection that names `what`, and the device stays usable.
   */
  async scoped<T>(what: string, make: () => T): Promise<T> {
    this.check();
    const filters = ['internal', 'out-of-memory', 'validation'] as const;
    const verdicts = (): Promise<(GPUError | null)[]> =>
      Promise.all(filters.map(() => this.gpu.popErrorScope()));
    for (const filter of filters) this.gpu.pushErrorScope(filter);
    let value: T;
    try {
      value = make();
    } catch (error) {
      verdicts().catch(() => {});
      throw error;
    }
    for (const error of await this.guard(verdicts())) {
      if (error) throw this.#wrap(error, what);
    }
    return value;
  }

  /** Waits until the GPU has done all that was submitted, and rejects if any of it failed. */
  async idle(): Promise<void> {
    await this.guard(this.gpu.queue.onSubmittedWorkDone());
    this.check();
  }

  /**
   * Waits for submitted work, then gives the device back. Waits still open reject. Calling it twice is harmless.
   *
   * @throws GpuError an error of the GPU that nobody has been told of yet.
   */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    if (!this.#isLost) {
      await Promise.race([this.gpu.queue.onSubmittedWorkDone().catch(() => {}), this.gpu.lost]);
      this.gpu.destroy();
    }
    for (const fail of [...this.#waiting]) fail(this.#closedError());
    if (this.#first && !this.#told) {
      this.#told = true;
      throw this.#first;
    }
  }

  #record(error: GpuError): void {
    if (this.#closing && this.#isLost) return;
    const isFirst = this.#first === null;
    this.#first ??= error;
    if (isFirst) this.#rejectFailed(error);
    if (this.#waiting.size > 0) for (const fail of [...this.#waiting]) fail(this.#first);
    else if (isFirst) this.onError(error);
  }

  #closedError(): GpuError {
    return new GpuError('closed', `The GPU device ${this.name} was closed.`);
  }

  #wrap(cause: unknown, what?: string): GpuError {
    const about = what === undefined ? `on ${this.name}` : `in ${what} on ${this.name}`;
    const text = sentence(textOf(cause));
    const code = kindOfError(cause);
    const remedy = code === 'out-of-memory' ? ' Use a smaller batch or model.' : '';
    return new GpuError(code, `${FAULTS[code]} ${about}: ${text}${remedy}`, { cause });
  }
}

const FAULTS = {
  'out-of-memory': 'Out of GPU memory',
  validation: 'Invalid use of WebGPU',
  internal: 'The GPU failed',
} as const;

async function chooseAdapter(options: OpenDeviceOptions): Promise<GPUAdapter> {
  if (typeof options.adapter === 'object') return options.adapter;
  const around = globalThis as Surroundings;
  const gpu = options.gpu ?? around.navigator?.gpu;
  if (!gpu) {
    if (around.isSecureContext === false) {
      throw new GpuError(
        'insecure-context',
        'WebGPU needs a secure page: serve it over https or from localhost.',
      );
    }
    throw new GpuError(
      'no-api',
      'There is no WebGPU here: use a browser that has it, or shadergrad/node in Node.',
    );
  }

  const wanted =
    options.adapter === undefined || options.adapter === 'auto' ? '' : options.adapter.toLowerCase();
  const base: GPURequestAdapterOptions = options.powerPreference
    ? { powerPreference: options.powerPreference }
    : {};
  const requests: GPURequestAdapterOptions[] = [base];
  // WebGPU cannot list adapters: ask in each of the ways that may lead to another one.
  if (options.software === true) requests.unshift({ ...base, forceFallbackAdapter: true });
  else if (wanted !== '') {
    requests.push(
      { powerPreference: 'high-performance' },
      { powerPreference: 'low-power' },
      { forceFallbackAdapter: true },
    );
  }
  const seen = new Set<string>();
  for (const request of requests) {
    const adapter = await gpu.requestAdapter(request);
    if (!adapter) continue;
    const info = readInfo(adapter);
    seen.add(nameOf(info));
    if (options.software !== undefined && isSoftware(info) !== options.software) continue;
    if (wanted === '' || matches(info, wanted)) return adapter;
  }
  throw new GpuError('no-adapter', whyNone([...seen].join(', '), wanted, options.software));
}

function whyNone(there: string, wanted: string, software: boolean | undefined): string {
  if (there === '')
    return 'WebGPU found no adapter: update the graphics driver, or allow the browser hardware acceleration.';
  if (wanted !== '') return `No adapter matches "${wanted}"; there is: ${there}.`;
  return software
    ? `There is no software adapter, only: ${there}.`
    : `There is no GPU, only software: ${there}.`;
}

function checkNeeds(adapter: GPUAdapter, info: AdapterInfo, options: OpenDeviceOptions): void {
  for (const name of options.features ?? []) {
    if (!adapter.features.has(name)) {
      throw new GpuError('adapter-too-small', `The adapter ${nameOf(info)} lacks the feature ${name}.`);
    }
  }
  for (const name of LIMITS) {
    const need = options.limits?.[name];
    const there = adapter.limits[name];
    if (need === undefined) continue;
    const enough = name.startsWith('min') ? there <= need : there >= need;
    if (!enough) {
      throw new GpuError(
        'adapter-too-small',
        `The adapter ${nameOf(info)} is too small: it has ${name} ${there}, and ${need} is needed.`,
      );
    }
  }
}

function refuseNullBackend(info: AdapterInfo): void {
  if (/null.?backend/i.test(`${info.device} ${info.description}`)) {
    throw new GpuError(
      'null-backend',
      'WebGPU offers only its Null backend, which computes nothing: install the graphics driver.',
    );
  }
}

/** What an adapter says of itself, in one form for all platforms. */
export function readInfo(adapter: GPUAdapter): AdapterInfo {
  const info: Partial<GPUAdapterInfo> = adapter.info;
  return {
    vendor: info.vendor ?? '',
    architecture: info.architecture ?? '',
    device: info.device ?? '',
    description: info.description ?? '',
    subgroupMinSize: info.subgroupMinSize,
    subgroupMaxSize: info.subgroupMaxSize,
    isFallbackAdapter: info.isFallbackAdapter ?? false,
  };
}

/** The adapter in a few words, from whatever it tells. */
export function nameOf(info: AdapterInfo): string {
  if (info.description !== '') return info.description;
  const words = [info.vendor, info.architecture, info.device].filter((word) => word !== '');
  return words.length > 0 ? words.join(' ') : 'that the platform does not name';
}

function matches(info: AdapterInfo, wanted: string): boolean {
  if (wanted === 'software') return isSoftware(info);
  return `${wordsOf(info)} ${kindOf(info)}`.includes(wanted);
}

/** All that an adapter calls itself, in small letters. */
function wordsOf({ vendor, architecture, device, description }: AdapterInfo): string {
  return `${vendor} ${architecture} ${device} ${description}`.toLowerCase();
}

/** What the words of each kind of device have in them. */
const KINDS = {
  llvmpipe: /llvmpipe|lavapipe/,
  swiftshader: /swiftshader/,
  nvidia: /nvidia|geforce|quadro|tesla/,
  amd: /\bamd\b|radeon|\bati\b/,
  intel: /intel/,
  apple: /apple/,
} as const;

/** Key of the tuning table for an adapter, from its vendor, architecture and description. */
export function kindOf(info: AdapterInfo): string {
  const text = wordsOf(info);
  return Object.entries(KINDS).find(([, names]) => names.test(text))?.[0] ?? 'other';
}

/** True for an adapter that runs on the CPU. */
export function isSoftware(info: AdapterInfo): boolean {
  const kind = kindOf(info);
  return (
    info.isFallbackAdapter ||
    kind === 'llvmpipe' ||
    kind === 'swiftshader' ||
    /basic render/i.test(info.description)
  );
}

function factsOf(gpu: GPUDevice, info: AdapterInfo): DeviceFacts {
  const granted = gpu.limits;
  const limits = Object.fromEntries(LIMITS.map((name) => [name, granted[name]])) as Record<
    (typeof LIMITS)[number],
    number
  >;
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.description === '' ? nameOf(info) : info.description,
    software: isSoftware(info),
    kind: kindOf(info),
    features: [...gpu.features].sort(),
    subgroupSize:
      gpu.features.has('subgroups') && info.subgroupMinSize === info.subgroupMaxSize
        ? info.subgroupMaxSize
        : undefined,
    limits,
  };
}

function kindOfError(cause: unknown): 'validation' | 'out-of-memory' | 'internal' {
  const name = (cause as { constructor?: { name?: string } } | null)?.constructor?.name ?? '';
  if (name.includes('OutOfMemory')) return 'out-of-memory';
  if (name.includes('Validation') || (cause as { reason?: string }).reason === 'validation')
    return 'validation';
  return 'internal';
}

function textOf(cause: unknown): string {
  const message = (cause as { message?: unknown } | null)?.message;
  return (typeof message === 'string' ? message : String(cause)).trim();
}

function sentence(text: string): string {
  return /[.!?)\]]$/.test(text) ? text : `${text}.`;
}
