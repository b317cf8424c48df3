import { describe, expect, it } from 'vitest';
import { factsOf, knownDevices } from '../../src/cli/knownDevices.js';
import { modelPlan } from '../../src/cli/run/modelPlan.js';
import { trainConfig } from '../../src/cli/run/setup.js';
import type { Plan, PlanStep } from '../../src/engine/plan/types.js';

/** The U-Net of the post: depth 5, 64 base channels, 256 x 256, batch 4. */
async function fullPlan(device: string): Promise<Plan> {
  const facts = await factsOf(device);
  return modelPlan(facts, trainConfig({ preset: 'post' }, facts), false, { tuning: null });
}

/** Convolutions, one of the steps each. */
function convolutions({ steps }: Plan): PlanStep[] {
  const groups = new Map(steps.filter((step) => step.choice).map((step) => [step.group, step]));
  return [...groups.values()].filter((step) => step.op.startsWith('conv2d'));
}

describe('the full U-Net on a GPU', () => {
  it('takes a matrix product wherever there is more than one output channel', async () => {
    const plan = await fullPlan('nvidia');
    const others = convolutions(plan).filter(({ choice }) => !/^(gemm|wino)/.test(choice?.variant ?? ''));
    // The last layer has one, where a tile of rows would be all but empty.
    for (const { choice } of others) expect(choice?.problem).toMatch(/ 1x1s1p0 4x64x256x256x1$/);
    expect(others.length).toBeLessThanOrEqual(3);
  });

  it('splits long sums so that 256 workgroups run at least, and no sum that needs none', async () => {
    const { steps } = await fullPlan('nvidia');
    const products = steps.filter(({ variant }) => variant.startsWith('gemm'));
    expect(products.length).toBeGreaterThan(0);
    for (const { label, workgroups } of products)
      expect(workgroups[0] * workgroups[1] * workgroups[2], label).toBeGreaterThanOrEqual(256);
    const deepest = products.filter(({ label }) => label === 'conv2dWeightGrad [1024, 1024, 3, 3]');
    for (const { workgroups } of deepest) expect(workgroups[2]).toBe(1);
  });

  it.each(
    knownDevices.filter((d) => d === 'nvidia' || d === 'least'),
  )('stays within the limits of %s', async (device) => {
    const { limits } = await factsOf(device);
    const { steps } = await fullPlan(device);
    for (const { label, workgroups, bindings } of steps) {
      for (const size of workgroups)
        expect(size, label).toBeLessThanOrEqual(limits.maxComputeWorkgroupsPerDimension);
      for (const { bytes } of bindings)
        expect(bytes, label).toBeLessThanOrEqual(limits.maxStorageBufferBindingSize);
    }
  });
});
