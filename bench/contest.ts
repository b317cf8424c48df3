import type { Precision } from '../src/unet/config.js';
import { CASES, type CaseName, type Context, type Metered, PEERS } from './context.js';
import { type Meter, meterOf } from './meter.js';
import { type Batch, type NetConfig, netFlops, syntheticBatch } from './peers/net.js';
import type { Peer } from './peers/peer.js';
import { Shadergrad } from './peers/shadergrad.js';
import type { Row } from './report.js';
import { interleave, milliseconds, type Sample } from './timing.js';

/** One program on its own device, and what is known of its start. */
export interface Entrant {
  readonly peer: Peer;
  readonly meter: Meter;
  /** Shared by all cases. */
  readonly metered: Metered;
  /** Milliseconds from nothing but a device to the first training step's loss, with no kernel compiled before. */
  firstStep?: number;
  /** The same to the first probabilities, where nothing was trained before. */
  firstInfer?: number;
}

/** Ours and the peers on one net and one batch. All suites of a case share it, so that each program starts cold only once. */
export class Contest {
  readonly net: NetConfig;
  readonly batch: Batch;
  readonly flops: { readonly forward: number; readonly step: number };
  private readonly out = new Set<Entrant>();

  private constructor(
    private readonly context: Context,
    readonly caseName: CaseName,
    readonly ours: Entrant & { readonly peer: Shadergrad },
    private readonly peers: readonly Entrant[],
  ) {
    this.net = CASES[caseName];
    this.batch = syntheticBatch(this.net);
    this.flops = netFlops(this.net);
  }

  static async open(context: Context, caseName: CaseName): Promise<Contest> {
    // Devices of their own, so that their memory is that of this case alone.
    const entrant = async (precision: Precision, name?: string) => {
      const device = await context.openDevice();
      const peer = new Shadergrad(device, precision, {}, name);
      context.versions[peer.name] = peer.version;
      const meter = meterOf(device.gpu);
      return { peer, meter, metered: { peer, meter, used: false } };
    };
    const { precision = 'f32' } = context.options;
    const ours = await entrant(precision);
    const peers: Entrant[] = precision === 'f32' ? [] : [await entrant('f32', 'shadergrad in f32')];
    for (const metered of await context.peers(...PEERS)) peers.push({ ...metered, metered });
    return new Contest(context, caseName, ours, peers);
  }

  /** Everyone still in the race. */
  all(): Entrant[] {
    return [this.ours, ...this.peers].filter((entrant) => !this.out.has(entrant));
  }

  /** All that can train, with the same weights again, and one step done. */
  trainers(): Promise<Entrant[]> {
    const able = this.peers.filter(({ peer }) => peer.trains);
    return this.begin('its first training step', able, async (entrant) => {
      const cold = !entrant.metered.used;
      entrant.metered.used = true;
      const time = await milliseconds(async () => {
        await entrant.peer.setup(this.context.config(this.net));
        await entrant.peer.trainStep(this.batch);
      });
      if (cold) entrant.firstStep = time;
    });
  }

  /** All that can infer, with the same weights again, and one inference done. */
  inferrers(): Promise<Entrant[]> {
    return this.begin('its first inference', this.peers, async (entrant) => {
      const cold = !entrant.metered.used;
      entrant.metered.used = true;
      const time = await milliseconds(async () => {
        await entrant.peer.setup(this.context.config(this.net));
        await entrant.peer.infer(this.batch);
      });
      if (cold) entrant.firstInfer = time;
    });
  }

  /** Times one thing for all entrants in turns. */
  async race(
    entrants: readonly Entrant[],
    work: (peer: Peer) => Promise<unknown>,
  ): Promise<Map<Entrant, Sample>> {
    const contestants = new Map(entrants.map((entrant, i) => [String(i), () => work(entrant.peer)]));
    const samples = await interleave(contestants, this.context.options.runs);
    return new Map(entrants.map((entrant, i) => [entrant, samples.get(String(i)) as Sample]));
  }

  /** A row for each peer with ours beside it, or ours alone where no peer ran. */
  rows(
    base: Pick<Row, 'suite' | 'what' | 'unit'>,
    entrants: readonly Entrant[],
    measure: (entrant: Entrant) => Sample | number | undefined,
  ): Row[] {
    const asSample = (value: Sample | number | undefined): Sample | undefined =>
      typeof value === 'number' ? { median: value, low: value, high: value, runs: 1 } : value;
    const own = asSample(measure(this.ours));
    const ownPart = {
      ...base,
      case: this.caseName,
      value: own?.median ?? null,
      ...(own && own.runs > 1 ? { low: own.low, high: own.high, runs: own.runs } : {}),
    };
    const rows: Row[] = [];
    for (const entrant of entrants) {
      if (entrant === this.ours) continue;
      const sample = asSample(measure(entrant));
      if (!sample) continue;
      rows.push({
        ...ownPart,
        peer: entrant.peer.name,
        peerValue: sample.median,
        ...(own ? { ratio: sample.median / own.median } : {}),
        ...(sample.runs > 1 ? { peerLow: sample.low, peerHigh: sample.high } : {}),
        ...(entrant.peer.note ? { note: entrant.peer.note } : {}),
      });
    }
    return rows.length > 0 || !own ? rows : [ownPart];
  }

  private async begin(
    what: string,
    able: readonly Entrant[],
    start: (entrant: Entrant) => Promise<void>,
  ): Promise<Entrant[]> {
    const ready: Entrant[] = [];
    for (const entrant of [this.ours, ...able]) {
      if (this.out.has(entrant)) continue;
      this.context.log(`${this.caseName}: ${entrant.peer.name} ${what} ...`);
      try {
        await start(entrant);
        ready.push(entrant);
      } catch (error) {
        if (entrant === this.ours) throw error;
        this.out.add(entrant);
        this.context.log(`${entrant.peer.name} is left out of ${this.caseName}: ${(error as Error).message}`);
      }
    }
    return ready;
  }
}
