import { describe, expect, it } from 'vitest';
import { known } from '../../src/cli/deviceFacts.js';
import type { DeviceFacts, Launch, SubgroupMatrix } from '../../src/engine/kernel.js';
import type { Conv2dProblem } from '../../src/engine/kernels/conv2d.js';
import { subgroupMatrixKernels } from '../../src/matrix.js';
import { complaints, nullDevice } from '../support/nullDevice.js';
import { newOperand, TestLowering, wgslOf } from '../support/runLaunches.js';

const problem = (dtype: 'f32' | 'f16', stride: number): Conv2dProblem => ({
  ...{ n: 2, c: 40, h: 16, w: 12, k: 48, kh: stride + 1, kw: stride + 1, dtype },
  ...{
    oh: stride === 1 ? 15 : 5,
    ow: stride === 1 ? 11 : 4,
    sh: stride,
    sw: stride,
    ph: 0,
    pw: 0,
    dh: 1,
    dw: 1,
    groups: 1,
  },
});

function launches(p: Conv2dProblem, facts: DeviceFacts): Launch[] {
  const ctx = new TestLowering(facts);
  const x = newOperand([p.n, p.c, p.h, p.w], p.dtype);
  const y = newOperand([p.n, p.k, p.oh, p.ow], p.dtype);
  const weight = newOperand([p.k, p.c, p.kh, p.kw], p.dtype);
  const bias = newOperand([p.k]);
  const epilogue = { bias, activation: 'relu', dropout: { p: 0.5, stream: 1 } } as const;
  const { conv2d, conv2dInputGrad, conv2dWeightGrad } = subgroupMatrixKernels;
  const able = <V extends { supports(p: Conv2dProblem, facts: DeviceFacts): boolean }>(list: readonly V[]) =>
    list.filter((v) => v.supports(p, facts));
  return [
    ...able(conv2d).flatMap((v) => v.lower(p, { x, weight, y }, epilogue, ctx)),
    ...able(conv2dInputGrad).flatMap((v) => v.lower(p, { gy: y, weight, gx: x }, {}, ctx)),
    ...able(conv2dWeightGrad).flatMap((v) =>
      v.lower(p, { x, gy: y, gw: newOperand([p.k, p.c, p.kh, p.kw]) }, ctx),
    ),
  ];
}

describe('kernels with subgroup matrices are WGSL that Tint accepts', () => {
  it.each<SubgroupMatrix>([
    { component: 'f16', result: 'f32', m: 16, n: 16, k: 16 },
    { component: 'f16', result: 'f32', m: 8, n: 16, k: 16 },
    { component: 'f32', result: 'f32', m: 8, n: 8, k: 8 },
  ])('with units of %o', async (unit) => {
    const facts: DeviceFacts = { ...(known.nvidia as DeviceFacts), subgroupMatrices: [unit] };
    const all = [1, 2].flatMap((stride) => launches(problem(unit.component, stride), facts));
    const own = all.filter(({ shader }) => shader.code.includes('subgroupMatrixLoad'));
    expect(new Set(own.map(({ shader }) => shader.name)).size).toBe(2);
    for (const launch of own) {
      const code = wgslOf(launch);
      expect(await complaints(code), launch.variant).toEqual([]);
      const device = await nullDevice();
      const module = device.createShaderModule({ code });
      device.pushErrorScope('validation');
      device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
      // This device has the least workgroup memory there is, of which the larger group wants more.
      const fault = (await device.popErrorScope())?.message ?? 'none';
      expect(fault, launch.variant).toMatch(/^(none|The total use of workgroup storage)/);
    }
  });
});

describe('the units of a device', () => {
  const feature = 'chromium-experimental-subgroup-matrix';
  const sizes = async (gpu: unknown) =>
    (await subgroupMatrixKernels.facts?.(gpu as GPUDevice))?.subgroupMatrices?.map(
      ({ component, result, m, n, k }) => `${component} ${result} ${m}x${n}x${k}`,
    );
  const all = ['f16 f32 16x16x16', 'f16 f32 8x16x16', 'f32 f32 8x8x8'];

  it('are what its adapter tells, but for those of whole numbers', async () => {
    const config = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 8, K: 16 };
    const whole = { ...config, componentType: 'u8', resultComponentType: 'u32' };
    const gpu = { features: new Set([feature]), adapterInfo: { subgroupMatrixConfigs: [whole, config] } };
    expect(await sizes(gpu)).toEqual(['f16 f32 16x8x16']);
  });

  it('are found by trying where its adapter tells none', async () => {
    // Dawn without a device makes pipelines of all.
    expect(await sizes(await nullDevice())).toEqual(all);
  });

  it('are those of which a pipeline can be made, and whose WGSL it accepts', async () => {
    const real = await nullDevice();
    const asIf = (spoil: (code: string) => boolean, makes: (code: string) => boolean) => {
      const codes = new Map<object, string>();
      return {
        features: real.features,
        adapterInfo: {},
        pushErrorScope: real.pushErrorScope.bind(real),
        popErrorScope: real.popErrorScope.bind(real),
        createShaderModule({ code }: { code: string }) {
          const module = real.createShaderModule({ code: spoil(code) ? `${code} fn broken() {` : code });
          codes.set(module, code);
          return module;
        },
        createComputePipelineAsync: async ({ compute }: { compute: { module: object } }) => {
          if (!makes(codes.get(compute.module) ?? '')) throw new Error('no such unit');
        },
      };
    };
    const never = () => false;
    const always = () => true;
    expect(await sizes(asIf(never, (code) => code.includes('<f32, 8, 8>')))).toEqual(all.slice(2));
    expect(await sizes(asIf((code) => code.includes('<f16, 16, 8>'), always))).toEqual([all[0], all[2]]);
    expect(await sizes(asIf(never, never))).toEqual([]);
  });

  it('are none without the feature', async () => {
    expect(await sizes({ features: new Set() })).toEqual([]);
  });
});
