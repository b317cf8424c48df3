import { readFile } from 'node:fs/promises';
import type * as ORT from 'onnxruntime-web';
import type { Batch, NetConfig } from './net.js';
import { unetToOnnx } from './onnx.js';
import type { Peer, PeerConfig } from './peer.js';

/** onnxruntime-web's WebGPU execution provider: inference only. */
export async function createOrt(): Promise<Peer> {
  const ort = await import('onnxruntime-web/webgpu');
  // Pages fetch the WebAssembly; here it is read from the package. One thread: the GPU does the work.
  const wasm = new URL('ort-wasm-simd-threaded.asyncify.wasm', import.meta.resolve('onnxruntime-web/webgpu'));
  ort.env.wasm.wasmBinary = new Uint8Array(await readFile(wasm)).buffer;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  return new Ort(ort);
}

class Ort implements Peer {
  readonly name = 'onnxruntime-web';
  readonly note = '';
  readonly trains = false;
  private net: NetConfig | undefined;
  private session: ORT.InferenceSession | undefined;

  constructor(private readonly ort: typeof ORT) {}

  get version(): string {
    return this.ort.env.versions.web ?? 'unknown';
  }

  async setup({ net, weights }: PeerConfig): Promise<void> {
    await this.dispose();
    this.net = net;
    this.session = await this.ort.InferenceSession.create(unetToOnnx(net, weights), {
      executionProviders: ['webgpu'],
      graphOptimizationLevel: 'all',
    });
  }

  trainStep(): Promise<number> {
    return Promise.reject(new Error('onnxruntime-web does not train.'));
  }

  async infer(batch: Batch): Promise<Float32Array> {
    const net = this.net;
    const session = this.session;
    if (!net || !session) throw new Error('onnxruntime-web: setup() comes first.');
    const image = new this.ort.Tensor('float32', batch.image, [
      net.batch,
      net.inChannels,
      net.height,
      net.width,
    ]);
    const { p } = await session.run({ image });
    if (!p) throw new Error('onnxruntime-web gave no output p.');
    return (await p.getData()) as Float32Array;
  }

  async dispose(): Promise<void> {
    await this.session?.release();
    this.session = undefined;
  }
}
