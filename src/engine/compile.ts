import type { Device } from './device.js';
import { fail } from './errors.js';
import { getOrMake } from './getOrMake.js';
import type { DType } from './kernel.js';
import { attrsKey } from './plan/graph.js';
import { makePlan, type PlanOptions } from './plan/plan.js';
import { type HostArray, Program, type Value } from './program/program.js';
import { Recent } from './program/recent.js';
import { Parameter, Tensor } from './tensor.js';
import { trace } from './trace.js';
import { inCreationOrder } from './walk.js';

/** Shape of a program's input; f32 unless a dtype is given with it. */
export type InputSpec = readonly number[] | { readonly shape: readonly number[]; readonly dtype: DType };

/** How a program is planned, and who is told of its compiling. */
export interface CompileOptions extends PlanOptions {
  /** Told after each kernel that is ready. */
  readonly onProgress?: (done: number, total: number) => void;
}

function inputTensors<I extends string>(inputs: Readonly<Record<I, InputSpec>>): Record<I, Tensor> {
  const entries = Object.entries<InputSpec>(inputs).map(([name, spec]) => {
    const { shape, dtype } = 'dtype' in spec ? spec : { shape: spec, dtype: 'f32' as const };
    return [name, Tensor.input(name, shape, dtype)] as const;
  });
  return Object.fromEntries(entries) as Record<I, Tensor>;
}

/**
 * The plan of a program, without a GPU: for printing, for tests, and to learn what a model would need.
 * The arguments are those of `compile`, with a device's facts in place of the device.
 */
export function plan<I extends string, O extends string>(
  facts: Device['facts'],
  inputs: Readonly<Record<I, InputSpec>>,
  build: (inputs: Record<I, Tensor>) => Record<O, Tensor>,
  options: PlanOptions = {},
) {
  const { result, effects } = trace(() => build(inputTensors(inputs)));
  return makePlan(new Map(Object.entries<Tensor>(result)), effects, facts, options);
}

function own({ tuning, kernels }: Device, options: PlanOptions): PlanOptions {
  return { tuning, kernels, ...options };
}

/**
 * Makes a program of `build`, which is called once with a tensor for each entry of `inputs` and returns the tensors to
 * give out. Optimiser updates and assignments made in it become part of the program.
 * Throws before any GPU work where shapes do not fit or a limit of the device is too small.
 */
export async function compile<I extends string, O extends string>(
  device: Device,
  inputs: Readonly<Record<I, InputSpec>>,
  build: (inputs: Record<I, Tensor>) => Record<O, Tensor>,
  options: CompileOptions = {},
): Promise<Program<I, O>> {
  const made = plan(device.facts, inputs, build, own(device, options));
  return Program.build<I, O>(device, made, options.onProgress);
}

/** Run-time scalars by name, as for `Program.run`. */
type Scalars = Readonly<Record<string, number>>;

/** Programs of `evaluate` kept a device. */
const KEPT = 64;
const evaluated = new WeakMap<Device, Recent<Program>>();

/**
 * Values of tensors made of constants and parameters, for tests and one-off work: the same way as a compiled program,
 * which is cached by the structure of the graph. Scalars such as `seed` are given as for `Program.run`.
 */
export function evaluate(
  device: Device,
  tensor: Tensor,
  scalars?: Scalars,
  options?: PlanOptions,
): Promise<Value>;
export function evaluate<const T extends readonly Tensor[]>(
  device: Device,
  tensors: T,
  scalars?: Scalars,
  options?: PlanOptions,
): Promise<{ -readonly [K in keyof T]: Value }>;
export async function evaluate(
  device: Device,
  tensors: Tensor | readonly Tensor[],
  scalars: Scalars = {},
  options: PlanOptions = {},
): Promise<Value | Value[]> {
  const list = tensors instanceof Tensor ? [tensors] : tensors;
  const nodes = inCreationOrder(...list);
  const index = new Map(nodes.map((node, i) => [node, i]));
  const data: Record<string, HostArray> = {};
  const key = nodes.map((node, i) => {
    const inputs = node.inputs.map((input) => index.get(input)).join();
    if (node instanceof Parameter) return `p${node.id}`;
    if (node.leaf?.kind === 'constant') data[`#${i}`] = node.leaf.data as HostArray;
    else if (node.leaf)
      fail(
        `evaluate: the input "${node.leaf.kind === 'input' ? node.leaf.name : ''}" has no value here; use compile().`,
      );
    return `${node.op?.name ?? 'constant'}${attrsKey(node.attrs)}${node.dtype}[${node.shape.join()}](${inputs})`;
  });
  const full = `${key.join(';')}>${list.map((t) => index.get(t)).join()}|${JSON.stringify(options)}`;
  const cache = getOrMake(evaluated, device, () => new Recent<Program>(KEPT));
  const make = async () => {
    const made = withInputs(nodes);
    const outputs = new Map(list.map((t, i) => [`${i}`, made.get(t) as Tensor]));
    return Program.build(device, makePlan(outputs, [], device.facts, own(device, options)));
  };
  const values = await cache.use(full, make, (program) => program.run(data, scalars));
  const result = list.map((_, i) => values[`${i}`] as Value);
  return tensors instanceof Tensor ? (result[0] as Value) : result;
}

/** The same graph with its constants as inputs, so that a cached program serves other data. */
function withInputs(nodes: readonly Tensor[]): Map<Tensor, Tensor> {
  const made = new Map<Tensor, Tensor>();
  nodes.forEach((node, i) => {
    const { op, leaf, shape, dtype } = node;
    const inputs = node.inputs.map((input) => made.get(input) as Tensor);
    if (op) made.set(node, Tensor.of(op, inputs, shape, node.attrs, dtype));
    else made.set(node, leaf?.kind === 'constant' ? Tensor.input(`#${i}`, shape, dtype) : node);
  });
  return made;
}
