import type { Device } from '../src/engine/device.js';
import type { Precision } from '../src/unet/config.js';
import { Contest } from './contest.js';
import type { UserKernel } from './ladder/userKernel.js';
import { type Meter, meterOf } from './meter.js';
import { FULL, initialWeights, type NetConfig, SMALL, TINY } from './peers/net.js';
import type { Peer, PeerConfig } from './peers/peer.js';
import type { Row } from './report.js';

export const CASES = { small: SMALL, full: FULL, tiny: TINY } as const;
export type CaseName = keyof typeof CASES;

export const PEERS = ['tfjs', 'jax-js', 'onnxruntime-web'] as const;
export type PeerName = (typeof PEERS)[number];

/** A part of the bench: `npm run bench -- NAME`. Suites run in a page too: they import nothing of Node. */
export interface Suite {
  readonly name: string;
  /** What it measures, for the help. */
  readonly about: string;
  run(context: Context): Promise<Row[]>;
  /** Its rows as text, where the common table does not serve. */
  text?(rows: readonly Row[]): string;
}

export interface BenchOptions {
  readonly runs: number;
  readonly cases: readonly CaseName[];
  readonly peers: readonly PeerName[];
  /** Of our own programs and of the convolutions' ladders. Peers are f32: none trains in f16. */
  readonly precision?: Precision | undefined;
  readonly ladder?: LadderOptions | undefined;
}

/** What of the ladders to run. */
export interface LadderOptions {
  /** Names of ladders; all when empty. */
  readonly ops: readonly string[];
  /** Only layers whose name contains this. */
  readonly layer?: string | undefined;
  /** Only these variants. */
  readonly variants?: readonly string[] | undefined;
  /** A kernel of the user's own to check and to time beside them. */
  readonly kernel?: UserKernel | undefined;
  /** Told each module's final WGSL: of the user's kernel, or where there is none of all. */
  readonly print?: ((text: string) => void) | undefined;
}

/** A peer with the meter of its device. */
export interface Metered {
  readonly peer: Peer;
  readonly meter: Meter;
  /** True once it has run anything, so that a cold start can no longer be timed. */
  used: boolean;
}

/** A peer's packages are not there. The message says how it could run. */
export class PeerAbsent extends Error {}

/** What differs between Node and a page. */
export interface Host {
  /** A new device of our own on the adapter under test. */
  openDevice(): Promise<Device>;
  /** Starts a peer on a device of its own on the same adapter; rejects where it cannot run here, by PeerAbsent where it is not there. */
  startPeer(name: PeerName): Promise<Metered>;
  log(text: string): void;
}

/** What every suite works with: our device on the adapter under test, and the peers on devices of their own. */
export class Context {
  readonly versions: Record<string, string> = {};
  private readonly contests = new Map<CaseName, Promise<Contest>>();
  private readonly closers: (() => Promise<void>)[] = [];
  private readonly absent = new Map<PeerName, string>();
  private readonly started = new Map<PeerName, Promise<Metered | undefined>>();

  private constructor(
    readonly options: BenchOptions,
    readonly device: Device,
    private readonly host: Host,
  ) {}

  static async open(host: Host, options: BenchOptions): Promise<Context> {
    return new Context(options, await host.openDevice(), host);
  }

  /** The counters of our own device. */
  get meter(): Meter {
    return meterOf(this.device.gpu);
  }

  /** The peers asked for by the user among `names`, started at first use. One that cannot run is told of and left out. */
  async peers(...names: readonly PeerName[]): Promise<Metered[]> {
    const found: Metered[] = [];
    const before = this.absent.size;
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
    if (this.absent.size > before)
      this.log(`Left out, since they are not there: ${[...this.absent.values()].join('; ')}.`);
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

  /** The same net and weights for everyone. */
  config(net: NetConfig): PeerConfig {
    return { net, weights: initialWeights(net), lr: 0.01, momentum: 0.9 };
  }

  log(text: string): void {
    this.host.log(text);
  }

  /** Another device of our own on the same adapter, closed with the context. */
  async openDevice(): Promise<Device> {
    const device = await this.host.openDevice();
    this.closers.push(() => device.close());
    return device;
  }

  async close(): Promise<void> {
    for (const start of this.started.values()) await (await start)?.peer.dispose();
    for (const close of this.closers) await close();
    await this.device.close();
  }

  private async start(name: PeerName): Promise<Metered | undefined> {
    try {
      const metered = await this.host.startPeer(name);
      this.versions[metered.peer.name] = metered.peer.version;
      return metered;
    } catch (error) {
      if (error instanceof PeerAbsent) this.absent.set(name, error.message);
      else this.log(`${name} does not run here: ${(error as Error).message}`);
      return undefined;
    }
  }
}
