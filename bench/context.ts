import type { Device } from '../src/engine/device.js';
import { openDevice } from '../src/engine/device.js';
import { requestNodeAdapter } from '../src/node/device.js';
import { Contest } from './contest.js';
import { installMeters, type Meter, meterOf, newestMeter } from './meter.js';
import { type Globals, pretendBrowser } from './peers/browser.js';
import { FULL, initialWeights, type NetConfig, SMALL } from './peers/net.js';
import type { Peer, PeerConfig } from './peers/peer.js';
import type { Row } from './report.js';

export const CASES = { small: SMALL, full: FULL } as const;
export type CaseName = keyof typeof CASES;

export const PEERS = ['tfjs', 'jax-js', 'onnxruntime-web'] as const;
export type PeerName = (typeof PEERS)[number];

/** A part of the bench: `npm run bench -- NAME`. */
export interface Suite {
  readonly name: string;
  /** What it measures, for the help. */
  readonly about: string;
  run(context: Context): Promise<Row[]>;
}

export interface BenchOptions {
  readonly adapter: string | undefined;
  readonly runs: number;
  readonly cases: readonly CaseName[];
  readonly peers: readonly PeerName[];
}

/** A peer with the meter of its device. */
export interface Metered {
  readonly peer: Peer;
  readonly meter: Meter;
  /** True once it has run anything, so that a cold start can no longer be timed. */
  used: boolean;
}

/** What every suite works with: the adapter, our device on it, and the peers on devices of their own on the same adapter. */
export class Context {
  readonly versions: Record<string, string> = { node: process.versions.node };
  private readonly contests = new Map<CaseName, Promise<Contest>>();
  private readonly closers: (() => Promise<void>)[] = [];
  private readonly started = new Map<PeerName, Promise<Metered | undefined>>();

  private constructor(
    readonly options: BenchOptions,
    readonly device: Device,
  ) {}

  static async open(options: BenchOptions): Promise<Context> {
    // A driver's disk cache would make the first step of whoever ran before look fast.
    process.env.MESA_SHADER_CACHE_DISABLE = 'true';
    const { globals } = (await import('webgpu')) as unknown as { globals: Globals };
    installMeters(globals);
    const request = (): Promise<GPUAdapter> => requestNodeAdapter({ adapter: options.adapter });
    pretendBrowser(request, globals);
    const device = await openDevice({ adapter: await request() });
    return new Context(options, device);
  }

  /** The counters of our own device. */
  get meter(): Meter {
    return meterOf(this.device.gpu);
  }

  /** The peers asked for by the user among `names`, started at first use. One that cannot run is told of and left out. */
  async peers(...names: readonly PeerName[]): Promise<Metered[]> {
    const found: Metered[] = [];
    for (const name of names) {
      if (!this.options.peers.includes(name)) continue;
      let start = this.started.get(name);
      if (!start) {
        start = this.start(name);
        this.started.set(name, start);
      }
      const metered = await start;
      if (metered) found.push(metered);
    }
    return found;
  }

  /** Ours and the peers on one case; the same contest for every suite. */
  contest(name: CaseName): Promise<Contest> {
    let contest = this.contests.get(name);
    if (!contest) {
      contest = Contest.open(this, name);
      this.contests.set(name, contest);
    }
    return contest;
  }

  onClose(close: () => Promise<void>): void {
    this.closers.push(close);
  }

  /** The same net and weights for everyone. */
  config(net: NetConfig): PeerConfig {
    return { net, weights: initialWeights(net), lr: 0.01, momentum: 0.9 };
  }

  log(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  async close(): Promise<void> {
    for (const start of this.started.values()) await (await start)?.peer.dispose();
    for (const close of this.closers) await close();
    await this.device.close();
  }

  private async start(name: PeerName): Promise<Metered | undefined> {
    try {
      const peer = await create[name]();
      this.versions[peer.name] = peer.version;
      return { peer, meter: newestMeter(), used: false };
    } catch (error) {
      this.log(`${name} does not run here: ${(error as Error).message}`);
      return undefined;
    }
  }
}

// Each is loaded only when wanted, and after there is a navigator for it to find.
const create: Record<PeerName, () => Promise<Peer>> = {
  tfjs: async () => (await import('./peers/tfjs.js')).createTfjs(),
  'jax-js': async () => (await import('./peers/jaxjs.js')).createJaxjs(),
  'onnxruntime-web': async () => (await import('./peers/ort.js')).createOrt(),
};
