/** WebGPU's classes and constants, as a page has them. */
export type Globals = Readonly<Record<string, unknown>>;

/**
 * Peers written for pages look for `navigator.gpu` and WebGPU's constants. This gives them both, in the bench's process
 * only: whatever adapter they ask for, they get the one under test.
 */
export function pretendBrowser(requestAdapter: () => Promise<GPUAdapter>, globals: Globals): void {
  const scope = globalThis as Record<string, unknown>;
  for (const [name, value] of Object.entries(globals)) scope[name] ??= value;
  acceptSharedMemory(globals);
  const gpu = {
    requestAdapter,
    getPreferredCanvasFormat: () => 'bgra8unorm',
    wgslLanguageFeatures: new Set<string>(),
  };
  Object.defineProperty(globalThis, 'navigator', {
    configurable: true,
    writable: true,
    value: {
      gpu,
      userAgent: 'Node.js',
      vendor: '',
      platform: 'linux',
      language: 'en',
      hardwareConcurrency: 2,
    },
  });
}

/** Threaded WebAssembly uploads from shared memory, which browsers take and Dawn's binding for Node refuses. */
function acceptSharedMemory(globals: Globals): void {
  const { prototype } = globals.GPUQueue as { prototype: GPUQueue };
  const plain = prototype.writeBuffer;
  prototype.writeBuffer = function (buffer, bufferOffset, data, dataOffset, size) {
    const shared = ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;
    const own = shared
      ? new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice()
      : data;
    return plain.call(this, buffer, bufferOffset, own as GPUAllowSharedBufferSource, dataOffset, size);
  };
}
