import { fail, LimitError, shapeText } from '../errors.js';
import { getOrMake } from '../getOrMake.js';
import {
  byteLength,
  type Candidate,
  contiguousStrides,
  type DeviceFacts,
  type DeviceLimits,
  type DType,
  elementBytes,
  type Launch,
  type Lowering,
  numel,
  type Operand,
  type Problem,
} from '../kernel.js';
import { unary } from '../kernels/elementwise.js';
import type { MoreKernels } from '../kernels/moreKernels.js';
import { copyStrided } from '../kernels/movement.js';
import { isContiguous, satisfies, sliceOperand } from '../layout.js';
import type { Op } from '../op.js';
import { castOp } from '../ops/cast.js';
import { homeOf, PARAMETER_ALIGN, place, placeOf, type StateBuffer } from '../state.js';
import type { Parameter, Tensor } from '../tensor.js';
import type { Effect, EffectPlanner } from '../trace.js';
import { choose } from '../tuning/choose.js';
import { problemKey, type TuningTable } from '../tuning/table.js';
import { fuse } from './fuse.js';
import { buildGraph, countUses, type PlanGraph, type PlanNode, rootNodes } from './graph.js';
import { assignBuffers, type Lifetime, leastBytes } from './memory.js';
import { isCat, mayPlace, type Tenant } from './place.js';
import { Store } from './storage.js';
import type {
  Choice,
  Plan,
  PlanBinding,
  PlanBuffer,
  PlanInput,
  PlanOutput,
  PlanStep,
  TensorForm,
} from './types.js';

export interface PlanOptions {
  /**
   * Kernel variant to use, by op name (`conv2d`, `conv2dWeightGrad`, ...), in place of the plan's own choice wherever it
   * can run. An unknown one, or one that can run none of the op's problems, is an error.
   */
  readonly force?: Readonly<Record<string, string>>;
  /** What was measured on the device. Left out: the table that ships with `kernels` for its kind, if any. Null: none at all. */
  readonly tuning?: TuningTable | null | undefined;
  /** Kernels to choose from beside the engine's own, such as `softwareKernels`. */
  readonly kernels?: MoreKernels | undefined;
  /** False leaves every op its own launches: for tests, and to see what fusing gives. */
  readonly fuse?: boolean;
}

interface LaunchStep {
  readonly label: string;
  readonly op: string;
  readonly group: number;
  readonly choice?: Choice;
  readonly launch: Launch;
}

/** Room for run-time scalars: a multiple of 4, and 1 KiB in all. */
const SCALARS = 256;

/**
 * Turns a graph into dispatches and buffers. A pure function of its arguments, but for the homes of parameters that have
 * none yet, which are given here. Throws where a limit of the device is too small, with the need and the limit.
 */
export function makePlan(
  outputs: ReadonlyMap<string, Tensor>,
  effects: readonly Effect[],
  facts: DeviceFacts,
  options: PlanOptions = {},
): Plan {
  return new Planner(outputs, effects, facts, options).plan();
}

class Planner implements EffectPlanner {
  readonly graph: PlanGraph;
  readonly #users: Map<PlanNode, PlanNode[]>;
  readonly #operands = new Map<PlanNode, Operand>();
  readonly #copies = new Map<PlanNode, Operand>();
  readonly #launches: LaunchStep[] = [];
  readonly #scalarNames: string[] = [];
  readonly #stateStores = new Map<StateBuffer, Store>();
  readonly #inputs: { name: string; operand: Operand }[] = [];
  /** Nodes that are written into another's storage: the function gives the place. */
  readonly #placed = new Map<PlanNode, { owner: unknown; operand: () => Operand }>();
  /** What writes into each owner's storage. */
  readonly #tenants = new Map<unknown, Tenant[]>();
  readonly #table: TuningTable | null;
  /** Of each op whose kernel was forced, whether it could run anywhere. */
  readonly #forced = new Map<string, boolean>();
  #groups = 0;
  #stores = 0;
  readonly #words = new Map<string, Operand>();
  #scalarOperand: Operand | null = null;

  constructor(
    outputs: ReadonlyMap<string, Tensor>,
    private readonly effects: readonly Effect[],
    readonly facts: DeviceFacts,
    private readonly options: PlanOptions,
  ) {
    const graph = buildGraph(outputs, effects);
    this.graph = options.fuse === false ? graph : fuse(graph, facts);
    if (this.graph.nodes.some(({ dtype }) => dtype === 'f16')) requireF16(facts);
    this.#users = countUses(this.graph);
    const { tuning, kernels } = options;
    this.#table = tuning === undefined ? (kernels?.table?.(facts) ?? null) : tuning;
  }

  plan(): Plan {
    this.#placeParameters();
    const lowerEffects = this.effects.map((effect) => effect.plan(this));
    this.#placeCats();
    this.#placeHalves();
    for (const node of this.graph.nodes) this.#lowerNode(node);
    this.#checkForced();
    this.#keepBeforeEffects();
    const outputs = [...this.graph.outputs].map(([name, node]) => ({
      name,
      node,
      operand: this.#compact(node),
    }));
    for (const lower of lowerEffects) lower();
    return this.#finish(outputs);
  }

  // Storage -----------------------------------------------------------------------------------------------------------

  store(bytes: number, home: Store['home'] = { kind: 'transient' }): Store {
    return new Store(this.#stores++, bytes, home);
  }

  contiguous(
    shape: readonly number[],
    dtype: DType,
    storage = this.store(byteLength(shape, dtype)),
  ): Operand {
    return { storage, shape, dtype, layout: { offset: 0, strides: contiguousStrides(shape) } };
  }

  #constant(shape: readonly number[], dtype: DType, data: ArrayBufferView): Operand {
    return this.contiguous(shape, dtype, this.store(byteLength(shape, dtype), { kind: 'constant', data }));
  }

  #placeParameters(): void {
    const limit = Math.min(this.facts.limits.maxStorageBufferBindingSize, this.facts.limits.maxBufferSize);
    for (const list of this.effects.flatMap((effect) => effect.lists)) place(list, limit);
    const rest = this.graph.nodes
      .filter((node) => node.leaf?.kind === 'parameter')
      .map((node) => node.tensor as Parameter);
    place(rest, limit);
    place(
      this.effects.flatMap((effect) => effect.writes),
      limit,
    );
  }

  child(parent: Store, byteOffset: number, bytes: number): Store {
    return new Store(this.#stores++, bytes, parent.home, parent, byteOffset);
  }

  #stateStore(buffer: StateBuffer): Store {
    return getOrMake(this.#stateStores, buffer, () =>
      this.store(buffer.bytes, { kind: 'state', state: buffer }),
    );
  }

  stateRange(buffer: StateBuffer, byteOffset: number, bytes: number): Store {
    return this.child(this.#stateStore(buffer), byteOffset, bytes);
  }

  parameterOperand(parameter: Parameter): Operand {
    const { shape, dtype } = parameter;
    const { buffer, byteOffset } = placeOf(parameter);
    return this.contiguous(shape, dtype, this.stateRange(buffer, byteOffset, byteLength(shape, dtype)));
  }

  // Placement ---------------------------------------------------------------------------------------------------------

  /** What a node's data belongs to: the first of its views, and what that was placed in. */
  readonly #ownerOf = (node: PlanNode): unknown => {
    let at = node;
    while (at.op?.view && at.inputs[0]) at = at.inputs[0];
    return this.#placed.get(at)?.owner ?? at;
  };

  tenantsOf(owner: unknown): Tenant[] {
    return getOrMake(this.#tenants, owner, () => []);
  }

  /** Puts input `i` of `into` where `operand` says, if that may be. */
  tryPlace(into: Tenant, i: number, owner: unknown, operand: () => Operand): boolean {
    const part = into.inputs[i] as PlanNode;
    if (this.#placed.has(part)) return false;
    const tenants = this.tenantsOf(owner);
    const beside = { inputs: into.inputs.filter((_, j) => j !== i) };
    const readers = [...tenants.filter((tenant) => tenant !== into), beside];
    if (!mayPlace(part, operand(), owner, readers, this.#ownerOf, this.#users)) return false;
    this.#placed.set(part, { owner, operand });
    tenants.push(part);
    return true;
  }

  #placeCats(): void {
    // Later concats first: an earlier one may itself be a part of a later one.
    for (const node of [...this.graph.nodes].reverse()) {
      if (!isCat(node)) continue;
      const { axis } = node.attrs;
      const owner = this.#ownerOf(node);
      if (owner === node) this.tenantsOf(owner).push(node);
      let start = 0;
      const inPlace = node.inputs.map((part, i) => {
        const from = start;
        const size = part.shape[axis] as number;
        start += size;
        return this.tryPlace(node, i, owner, () =>
          sliceOperand(this.#outputOperand(node), axis, from, size, 1),
        );
      });
      this.#catInPlace.set(node, inPlace);
    }
  }

  readonly #catInPlace = new Map<PlanNode, readonly boolean[]>();

  /** Casts of parameters to f16, which one launch makes for all parameters of a flat buffer. */
  readonly #halves = new Map<PlanNode, Halves>();

  #placeHalves(): void {
    const buffers = new Map<StateBuffer, Halves>();
    for (const node of this.graph.nodes) {
      const [source] = node.inputs;
      if (node.op !== (castOp as Op) || source?.leaf?.kind !== 'parameter' || this.#placed.has(node))
        continue;
      const home = placeOf(source.tensor as Parameter);
      const halves = getOrMake(buffers, home.buffer, () => ({
        state: home.buffer,
        nodes: [],
        from: home.byteOffset,
        to: 0,
      }));
      const end = home.byteOffset + byteLength(node.shape, 'f32');
      halves.nodes.push({ node, byteOffset: home.byteOffset });
      halves.from = Math.min(halves.from, home.byteOffset);
      halves.to = Math.max(halves.to, Math.ceil(end / PARAMETER_ALIGN) * PARAMETER_ALIGN);
      this.#halves.set(node, halves);
    }
  }

  /** At the first of them; the others find their operand made. */
  #lowerHalves({ state, nodes, from, to }: Halves): void {
    if (nodes.some(({ node }) => this.#operands.has(node))) return;
    const shape = [(to - from) / 4];
    const source = this.contiguous(shape, 'f32', this.stateRange(state, from, to - from));
    const copy = this.contiguous(shape, 'f16');
    this.emit('cast', shape, unary('copy', source, copy, {}, this));
    const root = copy.storage as Store;
    for (const { node, byteOffset } of nodes) {
      const bytes = byteLength(node.shape, 'f16');
      const child = this.child(root, (byteOffset - from) / 2, bytes);
      this.#operands.set(node, this.contiguous(node.shape, 'f16', child));
    }
  }

  /** Where the kernel of `node` writes. */
  #outputOperand(node: PlanNode): Operand {
    return getOrMake(
      this.#operands,
      node,
      () => this.#placed.get(node)?.operand() ?? this.contiguous(node.shape, node.dtype),
    );
  }

  // Lowering ----------------------------------------------------------------------------------------------------------

  #leafOperand(node: PlanNode): Operand {
    const leaf = node.leaf;
    if (leaf?.kind === 'parameter') return this.parameterOperand(node.tensor as Parameter);
    if (leaf?.kind === 'constant') return this.#constant(node.shape, node.dtype, leaf.data);
    const operand = this.contiguous(node.shape, node.dtype);
    this.#inputs.push({ name: leaf?.kind === 'input' ? leaf.name : '', operand });
    return operand;
  }

  operandOf(node: PlanNode): Operand {
    return this.#operands.get(node) ?? fail(`plan: ${node.op?.name} was read before it was made.`);
  }

  /** `node` where its elements lie one after the other; a copy if they do not. */
  #compact(node: PlanNode): Operand {
    const operand = this.operandOf(node);
    // What is read back starts at a whole word.
    const whole = (operand.layout.offset * elementBytes(operand.dtype)) % 4 === 0;
    if (isContiguous(operand) && whole) return operand;
    return getOrMake(this.#copies, node, () => this.#copied(operand));
  }

  /** A contiguous copy. */
  #copied(operand: Operand): Operand {
    const { shape, dtype } = operand;
    const copy = this.contiguous(shape, dtype);
    this.emit('copy', shape, copyStrided(operand, copy, this));
    return copy;
  }

  #lowerNode(node: PlanNode): void {
    const { op } = node;
    const halves = this.#halves.get(node);
    if (halves) {
      this.#lowerHalves(halves);
      return;
    }
    if (!op) {
      this.#operands.set(node, this.#leafOperand(node));
      return;
    }
    if (op.view) {
      const source = node.inputs[0] as PlanNode;
      const input = this.operandOf(source);
      const layout = op.view({ input, shape: node.shape, attrs: node.attrs });
      if (layout) {
        this.#operands.set(node, { ...input, shape: node.shape, layout });
        return;
      }
    }
    const inputs = node.inputs.map((input) => {
      const operand = this.operandOf(input);
      return satisfies(operand, op.inputLayout) ? operand : this.#compact(input);
    });
    const output = this.#outputOperand(node);
    const inPlace = this.#catInPlace.get(node);
    const attrs = inPlace ? { ...(node.attrs as object), inPlace } : node.attrs;
    let choice: Choice | undefined;
    const lowering = {
      ...this.lowering(op.name),
      choose: (problem: Problem, candidates: readonly Candidate[]) => {
        choice = this.#choose(node, op, problem, candidates);
        return choice.variant;
      },
    };
    const launches = op.lower({ inputs, output, attrs }, lowering);
    this.emit(op.name, node.shape, launches, choice);
  }

  #choose(node: PlanNode, op: Op, problem: Problem, candidates: readonly Candidate[]): Choice {
    const forced = this.options.force?.[op.name];
    const { variant, why } = choose(op.name, problem, candidates, { forced, table: this.#table });
    if (forced !== undefined)
      this.#forced.set(op.name, this.#forced.get(op.name) === true || why === 'forced');
    const key = problemKey(op.name, problem);
    const milliseconds = this.#table?.entries[key]?.milliseconds[variant];
    const form = ({ shape, dtype }: TensorForm) => ({ shape, dtype });
    return {
      op,
      problem: key,
      candidates,
      variant,
      why,
      ...(milliseconds === undefined ? {} : { milliseconds }),
      inputs: node.inputs.map(form),
      output: form(node),
      attrs: node.attrs,
    };
  }

  #checkForced(): void {
    for (const [op, applied] of this.#forced) {
      if (!applied)
        fail(
          `${op}: variant '${this.options.force?.[op]}' cannot run this problem on this device; leave the choice to the plan.`,
        );
    }
  }

  lowering(op: string): Lowering {
    return {
      facts: this.facts,
      kernels: this.options.kernels,
      forced: this.options.force?.[op],
      scratch: (shape, dtype = 'f32') => this.contiguous(shape, dtype),
      constant: (words) => this.#wordsOperand(words),
      scalars: this.#scalars(),
      scalar: (name) => this.#scalar(name),
    };
  }

  /** The same words are uploaded once. */
  #wordsOperand(words: readonly number[]): Operand {
    return getOrMake(this.#words, words.join(), () =>
      this.#constant([words.length], 'u32', Uint32Array.from(words)),
    );
  }

  #scalars(): Operand {
    this.#scalarOperand ??= this.contiguous([SCALARS], 'u32', this.store(SCALARS * 4, { kind: 'scalars' }));
    return this.#scalarOperand;
  }

  #scalar(name: string): number {
    const at = this.#scalarNames.indexOf(name);
    if (at >= 0) return at;
    if (this.#scalarNames.length === SCALARS) fail(`plan: more than ${SCALARS} run-time scalars.`);
    return this.#scalarNames.push(name) - 1;
  }

  emit(op: string, shape: readonly number[], launches: readonly Launch[], choice?: Choice): void {
    const group = this.#groups++;
    const label = `${op} ${shapeText(shape)}`;
    for (const launch of launches)
      this.#launches.push({ label, op, group, ...(choice ? { choice } : {}), launch });
  }

  /**
   * Outputs, assigned values and gradients are as they were before any effect: what is a parameter itself, or a view of
   * one, is copied aside where an effect changes parameters beside it.
   */
  #keepBeforeEffects(): void {
    const changed = new Set(
      this.effects.flatMap((effect) => effect.writes).map((parameter) => homeOf(parameter)?.buffer),
    );
    for (const node of rootNodes(this.graph)) {
      const operand = this.operandOf(node);
      const { home } = (operand.storage as Store).root;
      if (home.kind !== 'state' || !changed.has(home.state)) continue;
      this.#operands.set(node, this.#copied(operand));
    }
  }

  // Result ------------------------------------------------------------------------------------------------------------

  #finish(outputs: readonly { name: string; node: PlanNode; operand: Operand }[]): Plan {
    const lifetimes = this.#lifetimes(outputs.map(({ operand }) => operand));
    const transient = [...lifetimes.values()].filter(({ store }) => store.home.kind === 'transient');
    const assigned = assignBuffers(transient);
    const buffers: PlanBuffer[] = assigned.sizes.map((bytes, id) => ({ id, bytes, role: 'transient' }));
    const placeOf = new Map(assigned.places);
    for (const { store } of lifetimes.values()) {
      const { home } = store;
      if (home.kind === 'transient') continue;
      placeOf.set(store, { buffer: buffers.length, at: 0 });
      buffers.push({
        id: buffers.length,
        bytes: store.bytes,
        role: home.kind,
        ...(home.kind === 'state' ? { state: home.state } : {}),
        ...(home.kind === 'constant' ? { data: home.data } : {}),
      });
    }
    const at = (operand: Operand) => {
      const store = operand.storage as Store;
      const { buffer, at: start } = placeOf.get(store.root) as { buffer: number; at: number };
      return { buffer, byteOffset: start + absoluteOffset(store), bytes: store.bytes };
    };
    const steps = this.#launches.map((step) => this.#step(step, at));
    this.#checkBuffers(buffers, steps);
    const sum = (role: PlanBuffer['role']) =>
      buffers.reduce((total, b) => total + (b.role === role ? b.bytes : 0), 0);
    return {
      steps,
      buffers,
      inputs: this.#inputs.map(({ name, operand }): PlanInput => {
        const { buffer, bytes } = at(operand);
        return { name, shape: operand.shape, dtype: operand.dtype, buffer, bytes };
      }),
      outputs: outputs.map(
        ({ name, operand }): PlanOutput => ({
          name,
          shape: operand.shape,
          dtype: operand.dtype,
          layout: operand.layout,
          ...outputRange(operand, at(operand)),
        }),
      ),
      scalars: this.#scalarNames,
      memory: {
        transient: sum('transient'),
        least: leastBytes(transient, steps.length),
        state: sum('state'),
        constant: sum('constant'),
      },
      flops: steps.reduce((total, step) => total + step.flops, 0),
      bytes: steps.reduce((total, step) => total + step.bytes, 0),
    };
  }

  #lifetimes(outputs: readonly Operand[]): Map<Store, Lifetime> {
    const lifetimes = new Map<Store, Lifetime>();
    const touch = (operand: Operand, step: number) => {
      const store = (operand.storage as Store).root;
      const life = getOrMake(lifetimes, store, () => ({ store, first: step, last: step, apart: new Set() }));
      life.first = Math.min(life.first, step);
      life.last = Math.max(life.last, step);
      return life;
    };
    // Inputs are written before the first step, outputs read after the last.
    for (const { operand } of this.#inputs) touch(operand, -1);
    this.#launches.forEach(({ launch }, step) => {
      const bound = launch.bindings.map(({ operand, access }) => [touch(operand, step), access] as const);
      for (const [life, access] of bound)
        for (const [other, otherAccess] of bound) if (access !== otherAccess) life.apart.add(other.store);
    });
    for (const operand of outputs) touch(operand, this.#launches.length);
    return lifetimes;
  }

  #step(
    { label, op, group, choice, launch }: LaunchStep,
    at: (operand: Operand) => Omit<PlanBinding, 'at' | 'access'>,
  ): PlanStep {
    const bindings = launch.bindings.map((binding): PlanBinding => {
      const { access, operand, range } = binding;
      const whole = at(operand);
      if (!range) return { at: binding.at, access, ...whole };
      const { buffer, byteOffset } = whole;
      return { at: binding.at, access, buffer, byteOffset: byteOffset + range.from, bytes: range.bytes };
    });
    this.#checkStep(label, launch, bindings);
    const scalars = launch.bindings.some(({ operand }) => operand === this.#scalarOperand);
    return {
      label,
      op,
      group,
      ...(choice ? { choice } : {}),
      shader: launch.shader,
      pieces: launch.pieces ?? [],
      constants: scalars ? { NUM_SCALARS: SCALARS, ...launch.constants } : launch.constants,
      bindings,
      workgroups: launch.workgroups,
      variant: launch.variant,
      flops: launch.flops,
      bytes: launch.bytes,
    };
  }

  #checkStep(label: string, launch: Launch, bindings: readonly PlanBinding[]): void {
    const written = new Map<number, PlanBinding>();
    let storage = 0;
    for (const binding of bindings) {
      if (binding.access === 'uniform') continue;
      storage++;
      this.#within('maxStorageBufferBindingSize', binding.bytes, `${label}: needs a binding of`);
      if (binding.access !== 'read') written.set(binding.buffer, binding);
    }
    this.#within('maxStorageBuffersPerShaderStage', storage, `${label}: needs`, 'storage buffers');
    for (const binding of bindings) {
      const other = written.get(binding.buffer);
      if (other && other !== binding && binding.access === 'read') {
        fail(
          `${label}: ${launch.shader.name} would read and write buffer ${binding.buffer} at once; this is a fault of the plan.`,
        );
      }
    }
    for (const n of launch.workgroups) {
      this.#within('maxComputeWorkgroupsPerDimension', n, `${label}: needs`, 'workgroups in one dimension');
    }
  }

  /** @throws LimitError where `need` is above a limit; one in bytes is of the data, which a smaller model has less of. */
  #within(limit: keyof DeviceLimits, need: number, needs: string, unit?: string): void {
    const there = this.facts.limits[limit];
    if (need <= there) return;
    const remedy = unit ? '' : '; use a smaller batch, image or model';
    const message = `${needs} ${need} ${unit ?? 'bytes'}, but this adapter allows ${there} (${limit})${remedy}.`;
    throw new LimitError(message, limit, need, there);
  }

  #checkBuffers(buffers: readonly PlanBuffer[], steps: readonly PlanStep[]): void {
    for (const buffer of buffers) {
      const user = steps.find((step) => step.bindings.some((b) => b.buffer === buffer.id));
      this.#within('maxBufferSize', buffer.bytes, `${user?.label ?? 'an input'}: needs a buffer of`);
    }
  }
}

/** Parameters of one flat buffer that are wanted in f16: the stretch that holds them all, in bytes of f32. */
interface Halves {
  readonly state: StateBuffer;
  readonly nodes: { readonly node: PlanNode; readonly byteOffset: number }[];
  from: number;
  to: number;
}

/** Throws where the device cannot hold f16. */
function requireF16(facts: DeviceFacts): void {
  if (facts.features.includes('shader-f16')) return;
  fail(
    `f16 (mixed precision) needs the feature shader-f16, which ${facts.description || 'this adapter'} lacks; use f32.`,
  );
}

function absoluteOffset(store: Store): number {
  return store.parent ? store.byteOffset + absoluteOffset(store.parent) : store.byteOffset;
}

/** The bytes of an output alone, which may be a part of its storage. */
function outputRange(operand: Operand, at: Omit<PlanBinding, 'at' | 'access'>) {
  const unit = elementBytes(operand.dtype);
  return {
    buffer: at.buffer,
    byteOffset: at.byteOffset + operand.layout.offset * unit,
    bytes: Math.ceil((numel(operand.shape) * unit) / 4) * 4,
  };
}
