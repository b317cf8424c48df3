import { expect, it } from 'vitest';
import { minifyWgsl } from '../../scripts/minifyWgsl.mjs';
import { allShaders } from '../../scripts/wgsl.mjs';
import { where } from '../../src/engine/kernels/elementwise.js';
import { augmentImage, augmentMask } from '../../src/engine/ops/augment.js';
import type { PlanStep } from '../../src/engine/plan/types.js';
import { moduleText } from '../../src/engine/program/wgsl.js';
import { Tensor as TensorClass } from '../../src/engine/tensor.js';
import { variantsByOp } from '../../src/engine/tuning/force.js';
import { everyKernel } from '../../src/everyKernel.js';
import {
  Adam,
  binaryCrossEntropy,
  conv2d,
  type Device,
  type DeviceFacts,
  diceLoss,
  dropout,
  GradScaler,
  grad,
  type Op,
  plan,
  SGD,
  sum,
  type Tensor,
  UNet,
} from '../../src/index.js';
import { build } from '../ops/build.js';
import { cases } from '../ops/cases.js';
import { testDevice } from '../support/device.js';
import { complaints } from '../support/nullDevice.js';

/** No op of the engine's own has this kernel. */
const whereOp: Op<object> = {
  name: 'where',
  inputLayout: 'any',
  outputLayout: 'any',
  lower: ({ inputs: [c, a, b], output }, ctx) => (c && a && b ? where(c, a, b, output, ctx) : []),
};

/** Kernels for software and for hardware alike, on any adapter. */
function factsOf({ facts }: Device): DeviceFacts[] {
  const { subgroupSize, ...rest } = facts;
  return [
    facts,
    { ...rest, software: false, kind: 'other' },
    { ...rest, subgroupSize: 4 },
    { ...rest, subgroupSize: 8, software: true, kind: 'llvmpipe' },
    { ...rest, subgroupSize: 32, subgroupMatrices: [{ component: 'f32', result: 'f32', m: 8, n: 8, k: 8 }] },
  ];
}

/** Plans that use every kernel there is: values and gradients of all cases, and trainings with all forced kernels. */
function* plans(facts: DeviceFacts): Generator<readonly PlanStep[]> {
  for (const one of cases) {
    const shapes = Object.fromEntries(one.inputs.map(({ shape }, i) => [`${i}`, shape]));
    yield plan(facts, shapes, (given) => {
      const inputs = one.inputs.map((_, i) => given[`${i}`] as Tensor);
      const y = build(one, inputs);
      const asked = inputs.filter((_, i) => one.inputs[i]?.gradient === true);
      const outputs: Record<string, Tensor> = { y };
      asked.forEach((x, i) => {
        try {
          outputs[`gradient ${i}`] = grad(sum(y.mul(y)), [x])[0];
        } catch {
          // What has no gradient has no kernel for it.
        }
      });
      return outputs;
    }).steps;
  }
  // Channels enough that a matrix product is split into parts.
  const deep = { x: [1, 64, 8, 8], w: [16, 64, 3, 3] };
  const products = variantsByOp.conv2d?.filter((name) => name.startsWith('gemm')) ?? [];
  for (const name of products)
    yield plan(facts, deep, ({ x, w }) => ({ y: conv2d(x, w, null, { padding: 1 }) }), {
      force: { conv2d: name },
      kernels: everyKernel,
    }).steps;
  const names = new Set(Object.values(variantsByOp).flat());
  for (const name of [undefined, ...names]) {
    const config = { inChannels: 3, outChannels: 1, depth: 3, baseChannels: 8, dropout: 0.2 };
    const model = new UNet(config);
    const optimizers = [
      new SGD(model.parameters()),
      new SGD(model.parameters(), { momentum: false }),
      new Adam(model.parameters()),
      new SGD(model.parameters(), { scaler: new GradScaler() }),
    ];
    for (const optimizer of name === undefined ? optimizers : optimizers.slice(0, 1)) {
      const force = Object.fromEntries(
        Object.entries(variantsByOp).flatMap(([op, list]) =>
          name && list.includes(name) ? [[op, name]] : [],
        ),
      );
      const inputs = {
        images: { shape: [2, 20, 20, 3], dtype: 'u8' as const },
        masks: { shape: [2, 20, 20], dtype: 'u8' as const },
        table: [2, 14],
      };
      try {
        yield plan(
          facts,
          inputs,
          ({ images, masks, table }) => {
            const size = { height: 16, width: 16, maskValue: 1 };
            const image = augmentImage(images, table, size);
            const mask = augmentMask(masks, table, size);
            const p = model.forward(image, { training: true });
            const loss = binaryCrossEntropy(p, mask).add(diceLoss(p, mask));
            const objective = optimizer.scaler ? optimizer.scaler.scale(loss) : loss;
            optimizer.update(grad(objective, model.parameters()));
            // Fused into no convolution: in fours and one by one.
            const dropped = { training: true, stream: 9 };
            return {
              loss,
              four: dropout(image, 0.5, dropped),
              one: dropout(image.slice(3, 0, 15), 0.5, dropped),
              where: TensorClass.of(whereOp, [mask, p, p], p.shape, {}),
            };
          },
          { force, kernels: everyKernel },
        ).steps;
      } catch (error) {
        // A kernel that cannot run with these facts.
        if (!(error instanceof Error && /cannot run/.test(error.message))) throw error;
      }
    }
  }
}

it('every kernel compiles as it ships, with whatever is put before it', async () => {
  const device = await testDevice();
  const modules = new Map<string, string>();
  const { files: paths, names } = await allShaders();
  const seen = new Set<string>();
  for (const facts of factsOf(device)) {
    for (const steps of plans(facts)) {
      for (const { shader, pieces, constants } of steps) {
        for (const { name } of [shader, ...pieces]) seen.add(name);
        // Sizes differ from plan to plan; what the kernel is made of is what matters.
        const key = [shader.name, ...pieces.map(({ name }) => name), facts.subgroupSize].join();
        if (modules.has(key)) continue;
        const short = ({ name, code }: { name: string; code: string }) => ({
          name,
          code: minifyWgsl(code, names),
        });
        const given = Object.fromEntries(
          Object.entries(constants).map(([name, value]) => [names.constants.get(name) ?? name, value]),
        );
        modules.set(key, moduleText(given, pieces.map(short), short(shader)));
      }
    }
  }
  const { gpu } = device;
  for (const [key, code] of modules) {
    const lacks = [...code.matchAll(/^enable (\w+);/gm)].some(
      ([, name]) => !gpu.features.has(name === 'f16' ? 'shader-f16' : `${name}`.replaceAll('_', '-')),
    );
    if (lacks) {
      expect(await complaints(code), key).toEqual([]);
      continue;
    }
    const info = await device
      .scoped(key, () => gpu.createShaderModule({ label: key, code }))
      .then((m) => m.getCompilationInfo());
    expect(
      info.messages.filter(({ type }) => type === 'error'),
      key,
    ).toEqual([]);
  }
  const files = paths.map((file) => file.replaceAll('\\', '/').replace(/^.*\/src\/shaders\/|\.wgsl$/g, ''));
  // Kernels that no op has: what the bench measures ceilings with, and a conversion that only its own test runs.
  const apart = /^ceiling\/|^movement\/u8_to_f32$/;
  expect(files.filter((name) => !seen.has(name) && !apart.test(name))).toEqual([]);
});
