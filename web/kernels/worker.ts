/** The Kernels tab's worker: the bench, in a page. */

import {
  type BenchOptions,
  CASES,
  type CaseName,
  Context,
  type Host,
  type Suite,
} from '../../bench/context.js';
import { ladders } from '../../bench/ladder/index.js';
import { KernelError } from '../../bench/ladder/userKernel.js';
import { installMeters } from '../../bench/meter.js';
import type { Row } from '../../bench/report.js';
import { ceiling } from '../../bench/suites/ceiling.js';
import { infer } from '../../bench/suites/infer.js';
import { choiceOf, ladderNamed, planVariant, runLadders, variantsOf } from '../../bench/suites/ladder.js';
import { profile } from '../../bench/suites/profile.js';
import { step } from '../../bench/suites/step.js';
import { openDevice } from '../../src/engine/device.js';
import { everyKernel } from '../../src/everyKernel.js';
import { CodedError, failureOf } from '../rpc/failure.js';
import { emit, serve } from '../rpc/serve.js';
import type {
  BenchRequest,
  KernelRequest,
  KernelsEvent,
  LadderInfo,
  Measured,
  Place,
  SuiteName,
  VariantInfo,
} from './protocol.js';

const SUITES: Readonly<Record<Exclude<SuiteName, 'ladder'>, Suite>> = { step, infer, profile };

const host: Host = {
  openDevice: () => openDevice({ kernels: everyKernel, onError: () => {} }),
  startPeer: () => Promise.reject(new Error('peers run in Node only')),
  log: (text) => emit<KernelsEvent>({ is: 'log', text }),
};

installMeters(globalThis);
let opened: { readonly key: string; readonly context: Promise<Context> } | null = null;

/** The context of the last run, where it had the same options: its device has its ceiling and its data already. */
async function contextFor(net: CaseName, runs: number): Promise<Context> {
  const key = `${net} ${runs}`;
  if (opened?.key !== key) {
    const last = opened;
    const options: BenchOptions = { cases: [net], runs, peers: [] };
    opened = { key, context: Context.open(host, options) };
    await last?.context.then((context) => context.close()).catch(() => {});
  }
  return opened.context;
}

/** Does work on the device; whatever fails there is told with its code, and the device let go. */
async function onDevice<T>(net: CaseName, runs: number, work: (context: Context) => Promise<T>): Promise<T> {
  try {
    return await work(await contextFor(net, runs));
  } catch (error) {
    if (error instanceof KernelError) throw new CodedError('kernel', error.message);
    if (!['engine', 'kernel', 'adapter-too-small'].includes(failureOf(error).code)) opened = null;
    throw error;
  }
}

function layerOf({ net, op, layer }: Place) {
  const ladder = ladderNamed(op);
  const found = ladder.layers(CASES[net]).find(({ name }) => name === layer);
  if (!found) throw new CodedError('engine', `${op} has no layer ${layer} in the ${net} net.`);
  return { ladder, layer: found };
}

function measured(context: Context, rows: readonly Row[]): Measured {
  return { adapter: context.device.name, software: context.device.facts.software, rows };
}

const api = {
  ladders: (net: CaseName): LadderInfo[] =>
    ladders.map((ladder) => ({
      name: ladder.name,
      about: ladder.about,
      layers: ladder.layers(CASES[net]).map(({ name }) => name),
    })),

  /** The kernels that can run a problem here. */
  variants: ({ runs, ...place }: Place & { readonly runs: number }): Promise<VariantInfo[]> =>
    onDevice(place.net, runs, async (context) => {
      const { ladder, layer } = layerOf(place);
      const problem = layer.problem();
      const choice = choiceOf(context, ladder, problem);
      const able = variantsOf(choice).filter((name) =>
        choice ? choice.candidates.some((each) => each.name === name && each.share !== null) : true,
      );
      return able.map((name): VariantInfo => {
        const { steps } = planVariant(context, ladder, problem, name).plan;
        const main = steps.reduce((best, each) => (each.flops >= best.flops ? each : best));
        const { shader, workgroups } = main;
        return { name, chosen: name === choice?.variant, file: shader.name, source: shader.code, workgroups };
      });
    }),

  bench: ({ suites, runs, ...place }: BenchRequest): Promise<Measured> =>
    onDevice(place.net, runs, async (context) => {
      context.log('the ceiling of this adapter ...');
      const rows: Row[] = [...(await ceiling.run(context))];
      for (const name of suites) {
        context.log(`${name} ...`);
        rows.push(
          ...(name === 'ladder'
            ? await runLadders(context, { ops: [place.op], layer: place.layer })
            : await SUITES[name].run(context)),
        );
      }
      return measured(context, rows);
    }),

  /** A kernel of the reader's own beside the one whose place it takes. */
  kernel: ({ variant, code, runs, ...place }: KernelRequest): Promise<Measured> =>
    onDevice(place.net, runs, async (context) => {
      const kernel = { name: 'yours.wgsl', code, like: variant };
      const { op, layer } = place;
      return measured(context, await runLadders(context, { ops: [op], layer, variants: [variant], kernel }));
    }),
};

export type KernelsApi = typeof api;
serve(api);
