/** The products of conv2dGemm.ts and conv2dWeightGradGemm.ts by subgroup matrices, for GPUs that have such units. */
import matrix from '../../shaders/conv2d/matrix.wgsl';
import weightGradMatrix from '../../shaders/conv2d/weight_grad_matrix.wgsl';
import { type Constants, type DeviceFacts, elementBytes, type SubgroupMatrix } from '../kernel.js';
import type { ForwardVariant } from './conv2dForward.js';
import { forwardGemmVariant, inputGradGemmVariant, type TileOf } from './conv2dGemm.js';
import type { InputGradVariant } from './conv2dInputGrad.js';
import type { Conv2dProblem } from './conv2dProblem.js';
import type { WeightGradVariant } from './conv2dWeightGrad.js';
import { weightGradGemmVariant } from './conv2dWeightGradGemm.js';
import type { MoreKernels } from './moreKernels.js';

/** Subgroups of a workgroup along m and along the other side; a quarter of the r that are brought at a time. */
interface Group {
  readonly m: number;
  readonly across: number;
  readonly lanes: number;
}

/** The first fits the least workgroup memory that WebGPU promises; the second asks for more with most units. */
const GROUPS: readonly Group[] = [
  { m: 2, across: 2, lanes: 4 },
  { m: 4, across: 2, lanes: 8 },
];

/** A subgroup computes 2 x 4 units. */
const UNITS_M = 2;
const UNITS_ACROSS = 4;
/** Elements by which rows in workgroup memory are longer than need be. */
const PAD = 8;

/**
 * Not yet run on a GPU, so that no plan takes them by itself: they wait to be forced, or measured by `tune`.
 * Beside a ceiling of multiply-adds a unit could well reach several times 1.
 */
const SHARE = 0.02;

/** The unit that takes what a problem's tensors are stored as, and sums in f32. */
function unitFor(p: Conv2dProblem, facts: DeviceFacts): SubgroupMatrix | undefined {
  const dtype = p.dtype ?? 'f32';
  return facts.subgroupMatrices?.find(({ component, result }) => component === dtype && result === 'f32');
}

/** What both kernels are told and need; undefined where a device has no such unit or it does not fill the group. */
function groupOf(p: Conv2dProblem, { m, across, lanes }: Group, facts: DeviceFacts) {
  const unit = unitFor(p, facts);
  const { subgroupSize } = facts;
  if (!unit || subgroupSize === undefined) return;
  const threads = m * across * subgroupSize;
  const rows = m * UNITS_M * unit.m;
  const columns = across * UNITS_ACROSS * unit.n;
  const k = 4 * lanes;
  // An invocation brings whole groups of four, all of one pixel or of one lane.
  const even = [k / unit.k, threads / columns, (lanes * columns) / threads, (lanes * rows) / threads];
  if (!even.every(Number.isInteger)) return;
  const constants: Constants = {
    COMPONENT: { type: 'alias', value: unit.component },
    UNIT_M: unit.m,
    UNIT_N: unit.n,
    UNIT_K: unit.k,
    SUBGROUP: subgroupSize,
    SUBGROUPS_M: m,
  };
  return {
    threads,
    rows,
    columns,
    k,
    constants,
    component: unit.component,
    /** Of workgroup memory, for a unit of sums from each subgroup. */
    resultBytes: 4 * m * across * unit.m * unit.n,
  };
}

function tileOf(name: string, group: Group): TileOf {
  return (p, facts) => {
    const made = groupOf(p, group, facts);
    if (!made) return;
    const { threads, rows, columns, k, constants, component, resultBytes } = made;
    return {
      name,
      m: rows,
      p: columns,
      k,
      threads,
      bytes: elementBytes(component) * k * (columns + PAD) + resultBytes,
      share: SHARE,
      shader: matrix,
      pieces: [],
      constants: { ...constants, SUBGROUPS_P: group.across },
      packed: { dtype: component, alongR: true },
    };
  };
}

const nameOf = ({ m, across }: Group): string => `matrix_${m}x${across}`;

const forward: readonly ForwardVariant[] = /* @__PURE__ */ GROUPS.map((group) =>
  forwardGemmVariant(nameOf(group), tileOf(nameOf(group), group)),
);

const inputGrad: readonly InputGradVariant[] = /* @__PURE__ */ GROUPS.map((group) =>
  inputGradGemmVariant(nameOf(group), tileOf(nameOf(group), group)),
);

const weightGrad: readonly WeightGradVariant[] = /* @__PURE__ */ GROUPS.map((group) => {
  const name = nameOf(group);
  return weightGradGemmVariant(name, 'where', (p, facts) => {
    const made = groupOf(p, group, facts);
    if (!made) return;
    const { threads, rows, columns, k, constants, component, resultBytes } = made;
    return {
      name,
      m: rows,
      q: columns,
      lanes: group.lanes,
      threads,
      bytes: elementBytes(component) * (rows + columns) * (k + PAD) + resultBytes,
      waves: 2,
      share: SHARE,
      shader: weightGradMatrix,
      pieces: [],
      constants: { ...constants, SUBGROUPS_Q: group.across },
    };
  });
});

/** A configuration as WebGPU's adapters tell it. */
interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

function isFloat(type: string): type is SubgroupMatrix['component'] {
  return type === 'f16' || type === 'f32';
}

/** Units of GPUs of today, with the vendors that have them. */
const USUAL: readonly SubgroupMatrix[] = [
  { component: 'f16', result: 'f32', m: 16, n: 16, k: 16 }, // NVIDIA, AMD
  { component: 'f16', result: 'f32', m: 8, n: 16, k: 16 }, // Intel
  { component: 'f32', result: 'f32', m: 8, n: 8, k: 8 }, // Apple
];

/** Whether a device makes a pipeline of a product by such units. */
async function isMade(gpu: GPUDevice, { component, result, m, n, k }: SubgroupMatrix): Promise<boolean> {
  // Workgroups must hold whole subgroups, of 128 at most.
  const code = `
    ${component === 'f16' ? 'enable f16;' : ''}
    enable chromium_experimental_subgroup_matrix;
    @group(0) @binding(0) var<storage, read_write> a: array<${component}>;
    @group(0) @binding(1) var<storage, read_write> b: array<${result}>;
    @compute @workgroup_size(128) fn main() {
      let left = subgroupMatrixLoad<subgroup_matrix_left<${component}, ${k}, ${m}>, row_major>(&a, 0, ${k});
      let right = subgroupMatrixLoad<subgroup_matrix_right<${component}, ${n}, ${k}>, row_major>(&a, 0, ${n});
      let sums = subgroupMatrixMultiplyAccumulate(left, right, subgroup_matrix_result<${result}, ${n}, ${m}>());
      subgroupMatrixStore<row_major>(&b, 0, sums, ${n});
    }`;
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ code });
  const fault = gpu.popErrorScope();
  const made = await gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } }).then(
    () => true,
    () => false,
  );
  return (await fault) === null && made;
}

/**
 * Configurations of floats that a device was granted. Dawn's binding for Node (webgpu 0.6.2) has the feature and the list,
 * but leaves the list empty; so where nothing is told, the usual ones are tried.
 */
async function subgroupMatricesOf(gpu: GPUDevice): Promise<readonly SubgroupMatrix[]> {
  if (!gpu.features.has('chromium-experimental-subgroup-matrix' as GPUFeatureName)) return [];
  const info = gpu.adapterInfo as { readonly subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };
  const told = [...(info.subgroupMatrixConfigs ?? [])];
  if (told.length > 0) {
    return told.flatMap(({ componentType: component, resultComponentType: result, M: m, N: n, K: k }) =>
      isFloat(component) && isFloat(result) ? [{ component, result, m, n, k }] : [],
    );
  }
  const made = await Promise.all(USUAL.map((unit) => isMade(gpu, unit)));
  return USUAL.filter((_, i) => made[i]);
}

/**
 * For `openDevice` where the experimental feature `chromium-experimental-subgroup-matrix` is offered (Dawn's toggle
 * `allow_unsafe_apis`, which `openNodeDevice` sets), and for plans without a device. On others they do nothing.
 */
export const subgroupMatrixKernels: MoreKernels = {
  conv2d: forward,
  conv2dInputGrad: inputGrad,
  conv2dWeightGrad: weightGrad,
  facts: async (gpu) => ({ subgroupMatrices: await subgroupMatricesOf(gpu) }),
};
