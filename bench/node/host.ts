import { openDevice } from '../../src/engine/device.js';
import { everyKernel } from '../../src/everyKernel.js';
import { requestNodeAdapter } from '../../src/node/device.js';
import { restWhile } from '../../src/node/rest.js';
import { type Host, PeerAbsent, type PeerName } from '../context.js';
import { installMeters, newestMeter } from '../meter.js';
import { type Globals, pretendBrowser } from '../peers/browser.js';
import type { Peer } from '../peers/peer.js';
import { resting } from './resting.js';

/** The bench in Node, on Dawn. `adapter` as for `openNodeDevice`. Call it once a process. */
export async function nodeHost(adapter: string | undefined): Promise<Host> {
  // A driver's disk cache would make the first step of whoever ran before look fast.
  process.env.MESA_SHADER_CACHE_DISABLE = 'true';
  const { globals } = (await import('webgpu')) as unknown as { globals: Globals };
  installMeters(globals);
  const request = (): Promise<GPUAdapter> => requestNodeAdapter({ adapter });
  pretendBrowser(request, globals);
  return {
    openDevice: async () => openDevice({ adapter: await request(), kernels: everyKernel, onWait: restWhile }),
    startPeer: async (name) => {
      try {
        return { peer: resting(await create[name]()), meter: newestMeter(), used: false };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw code === 'ERR_MODULE_NOT_FOUND' ? new PeerAbsent(`${name} (${WAYS[name]})`) : error;
      }
    },
    log: (text) => void process.stderr.write(`${text}\n`),
  };
}

// Each is loaded only when wanted, and after there is a navigator for it to find.
const create: Record<PeerName, () => Promise<Peer>> = {
  tfjs: async () => (await import('../peers/tfjs.js')).createTfjs(),
  'jax-js': async () => (await import('../peers/jaxjs.js')).createJaxjs(),
  'onnxruntime-web': async () => (await import('../peers/ort.js')).createOrt(),
};

/** How a peer that is not there could take part. tfjs must be bundled, since Node does not load its ES modules as they lie. */
const WAYS: Record<PeerName, string> = {
  tfjs: "runs by npm run bench in the project's own folder",
  'jax-js': 'npm install @jax-js/jax',
  'onnxruntime-web': 'npm install onnxruntime-web',
};
