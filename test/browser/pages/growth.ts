import { openDevice, Segmenter, UNet } from '../../../src/index.js';
import { softwareKernels } from '../../../src/software.js';

/** What lives on the GPU, or was made there and cannot be given back. */
const made = { buffers: 0, pipelines: 0, bindGroups: 0 };

const device = await openDevice({ kernels: softwareKernels });
const { gpu } = device;
const createBuffer = gpu.createBuffer.bind(gpu);
gpu.createBuffer = (descriptor) => {
  const buffer = createBuffer(descriptor);
  made.buffers++;
  const destroy = buffer.destroy.bind(buffer);
  buffer.destroy = () => {
    made.buffers--;
    return destroy();
  };
  return buffer;
};
const createBindGroup = gpu.createBindGroup.bind(gpu);
gpu.createBindGroup = (descriptor) => {
  made.bindGroups++;
  return createBindGroup(descriptor);
};
const createPipeline = gpu.createComputePipelineAsync.bind(gpu);
gpu.createComputePipelineAsync = (descriptor) => {
  made.pipelines++;
  return createPipeline(descriptor);
};

const config = { inChannels: 3, outChannels: 1, depth: 3, baseChannels: 4, dropout: 0 };
const segmenter = new Segmenter(device, {
  config,
  preparation: { size: null },
  state: await new UNet(config).stateDict(),
  metadata: new Map(),
  source: 'a model of the test',
});

/** What the test calls from outside. */
const api = {
  /** Segments `times` images of two sizes, and tells what there is on the GPU after. */
  async predict(times: number): Promise<typeof made> {
    for (let i = 0; i < times; i++) {
      const [width, height] = i % 2 === 0 ? [32, 32] : [24, 20];
      const data = Uint8Array.from({ length: width * height * 3 }, (_, k) => (k * 31 + i) % 256);
      const probabilities = await segmenter.segment({ width, height, data });
      if (!probabilities.every((p) => p >= 0 && p <= 1)) throw new Error('no probabilities');
    }
    return { ...made };
  },

  async close(): Promise<void> {
    await segmenter.destroy();
    await device.close();
  },
};

export type GrowthApi = typeof api;
Object.assign(globalThis, { api });
