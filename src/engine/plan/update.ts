/** How a plan takes in an optimiser's update. Optimisers bring it, so that a page that only infers does not carry it. */
import { byteLength, type Launch, type Lowering, numel, type Operand } from '../kernel.js';
import type { FlatGradients } from '../kernels/gradScaler.js';
import { copyStrided } from '../kernels/movement.js';
import { type Home, PARAMETER_ALIGN, placeOf } from '../state.js';
import type { Parameter, Tensor } from '../tensor.js';
import { type EffectPlanner, record } from '../trace.js';
import type { PlanNode } from './graph.js';
import type { Tenant } from './place.js';
import type { Store } from './storage.js';

/** Loss scaling in an update: run over all its gradients before any of them is applied. */
export interface Scaling {
  /** Lies in a buffer of its own, since the update reads it while it writes parameters. */
  readonly state: Parameter;
  lower(gradients: readonly FlatGradients[], state: Operand, ctx: Lowering): Launch[];
}

/**
 * A step of an optimiser on many parameters at once. The plan lays state and gradients side by side and calls `lower`
 * once for each stretch that is contiguous in all of them, so that one launch serves many parameters.
 */
export interface Update {
  readonly name: string;
  /** Lists of equal shapes: the parameters, then what the optimiser keeps for each. */
  readonly state: readonly (readonly Parameter[])[];
  readonly gradients: readonly Tensor[];
  readonly scaling?: Scaling | undefined;
  /** `state[i]` and `gradient` are flat f32 operands of equal length; `scaler` is the state of `scaling`. */
  lower(state: readonly Operand[], gradient: Operand, ctx: Lowering, scaler?: Operand): Launch[];
}

/** Makes an update part of the program being compiled: its gradients are placed before anything is lowered. */
export function recordUpdate(update: Update): void {
  const { state, scaling, gradients } = update;
  const lists = scaling ? [...state, [scaling.state]] : state;
  record({
    reads: gradients,
    writes: lists.flat(),
    lists,
    plan(planner) {
      const runs = placeGradients(update, planner);
      return () => lowerUpdate(update, runs, planner);
    },
  });
}

/** Lays an update's gradients as its parameters lie, in one storage for each stretch of parameters. */
function placeGradients(update: Update, planner: EffectPlanner): GradientRun[] {
  const runs = contiguousRuns(update);
  for (const run of runs) {
    const group = planner.store(run.bytes);
    run.store = group;
    const inputs = update.gradients
      .slice(run.from, run.to)
      .map((gradient) => planner.graph.read.get(gradient) as PlanNode);
    const copying: Tenant = { inputs };
    planner.tenantsOf(group).push(copying);
    inputs.forEach((node, i) => {
      const parameter = update.state[0]?.[run.from + i] as Parameter;
      const at = placeOf(parameter).byteOffset - run.byteOffset;
      const child = planner.child(group, at, byteLength(node.shape, node.dtype));
      const operand = planner.contiguous(node.shape, node.dtype, child);
      run.parts.push(operand);
      planner.tryPlace(copying, i, group, () => operand);
    });
  }
  return runs;
}

function lowerUpdate(update: Update, runs: readonly GradientRun[], planner: EffectPlanner): void {
  for (const run of runs) {
    for (let i = run.from; i < run.to; i++) {
      const node = planner.graph.read.get(update.gradients[i] as Tensor) as PlanNode;
      const part = run.parts[i - run.from] as Operand;
      const operand = planner.operandOf(node);
      if (operand.storage !== part.storage)
        planner.emit('copy', node.shape, copyStrided(operand, part, planner));
    }
  }
  const flat = (run: GradientRun) => planner.contiguous([run.bytes / 4], 'f32', run.store as Store);
  let scaler: Operand | undefined;
  if (update.scaling) {
    scaler = planner.parameterOperand(update.scaling.state);
    const gradients = runs.map((run) => ({ operand: flat(run), gaps: gapsOf(run) }));
    const launches = update.scaling.lower(gradients, scaler, planner.lowering('gradScaler'));
    planner.emit('gradScaler', scaler.shape, launches);
  }
  for (const run of runs) {
    const shape = [run.bytes / 4];
    const state = update.state.map((list) => {
      const { buffer, byteOffset } = placeOf(list[run.from] as Parameter);
      return planner.contiguous(shape, 'f32', planner.stateRange(buffer, byteOffset, run.bytes));
    });
    planner.emit(update.name, shape, update.lower(state, flat(run), planner.lowering(update.name), scaler));
  }
}

/** A stretch of an update's parameters, `from` to `to`, that is contiguous in every list of its state. */
interface GradientRun {
  readonly from: number;
  to: number;
  /** Where it starts in the buffer of the first list. */
  readonly byteOffset: number;
  bytes: number;
  store: Store | null;
  readonly parts: Operand[];
}

function contiguousRuns(update: Update): GradientRun[] {
  const runs: GradientRun[] = [];
  const lists = update.state;
  const first = lists[0] ?? [];
  for (let i = 0; i < first.length; i++) {
    const homes = lists.map((list) => placeOf(list[i] as Parameter));
    const home = homes[0] as Home;
    const bytes = byteLength((first[i] as Parameter).shape, 'f32');
    const run = runs[runs.length - 1];
    const start = run ? lists.map((list) => placeOf(list[run.from] as Parameter)) : [];
    const distance = run ? home.byteOffset - run.byteOffset : -1;
    // Same buffers, same distance from the run's start in each, in rising order.
    const joins =
      run !== undefined &&
      distance >= run.bytes &&
      distance - run.bytes < PARAMETER_ALIGN &&
      homes.every((h, k) => h.buffer === start[k]?.buffer && h.byteOffset - start[k].byteOffset === distance);
    if (run && joins) {
      run.to = i + 1;
      run.bytes = distance + bytes;
    } else {
      runs.push({ from: i, to: i + 1, byteOffset: home.byteOffset, bytes, store: null, parts: [] });
    }
  }
  // Places are padded to whole vectors in every list, so the launch may run over the last one's padding.
  for (const run of runs) run.bytes = Math.ceil(run.bytes / PARAMETER_ALIGN) * PARAMETER_ALIGN;
  return runs;
}

/** The elements of a run's buffer that belong to no gradient, in stretches. */
function gapsOf({ parts, bytes }: GradientRun): [number, number][] {
  const gaps: [number, number][] = [];
  parts.forEach(({ storage, shape }, i) => {
    const end = (storage as Store).byteOffset / 4 + numel(shape);
    const next = parts[i + 1];
    const start = (next ? (next.storage as Store).byteOffset : bytes) / 4;
    if (end < start) gaps.push([end, start]);
  });
  return gaps;
}
