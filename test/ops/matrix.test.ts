import { afterAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/engine/device.js';
import { conv2d, evaluate, openDevice, tensor } from '../../src/engine/index.js';
import { parseForce } from '../../src/engine/tuning/force.js';
import { requestNodeAdapter } from '../../src/node/device.js';
import { restWhile } from '../../src/node/rest.js';
import { type EmulatedUnits, emulatedMatrixKernels } from '../support/emulateMatrices.js';
import type { AnyCase } from './case.js';
import { convCases, convTransposeCases, largeConvCases } from './cases/conv.js';
import { checkHalf, ofConv } from './half.js';
import { checkAlone } from './runner.js';

const f16 = { component: 'f16', result: 'f32' } as const;
const f32 = { component: 'f32', result: 'f32' } as const;

/** As vendors have them: what their drivers tell of, or what is written of them. */
const UNITS: Record<string, EmulatedUnits> = {
  'NVIDIA, f16': { subgroupSize: 32, subgroupMatrices: [{ ...f16, m: 16, n: 16, k: 16 }] },
  'Intel, f16': { subgroupSize: 16, subgroupMatrices: [{ ...f16, m: 8, n: 16, k: 16 }] },
  'Apple, f32': { subgroupSize: 32, subgroupMatrices: [{ ...f32, m: 8, n: 8, k: 8 }] },
};

const NAMES = ['matrix_2x2', 'matrix_4x2'];
const opened: Device[] = [];

async function deviceWith(units: EmulatedUnits): Promise<Device> {
  const device = await openDevice({
    adapter: await requestNodeAdapter(),
    kernels: emulatedMatrixKernels(units),
    onWait: restWhile,
  });
  opened.push(device);
  return device;
}

afterAll(async () => {
  for (const device of opened) await device.close();
});

const forced = (name: string) => parseForce([name]);
const some = (table: readonly AnyCase[], names: readonly string[]) =>
  table.filter(({ name }) => names.some((part) => name.endsWith(part)));
// Emulated kernels take seconds to compile: one takes all of these, the others what differs for them.
const all = [
  ...some(convCases, ['of single elements', '3x3 padding 1 in powers of two', '3x5 stride 2x3 padding 1x2']),
  ...some(convTransposeCases, ['convTranspose2d 2x2 stride 2', 'padding 1 output padding 1']),
];
const each = [
  ...some(convCases, ['2d 3x3 at prime sizes, no bias']),
  ...some(largeConvCases, ['33 to 65 channels at 31x29']),
];

for (const [title, units] of Object.entries(UNITS)) {
  const half = units.subgroupMatrices[0]?.component === 'f16';
  const device = await deviceWith(units);
  const there = !half || device.facts.features.includes('shader-f16');
  describe.runIf(there)(`subgroup matrices as ${title}`, () => {
    for (const name of NAMES) {
      for (const one of title.startsWith('NVIDIA') && name === 'matrix_2x2' ? [...each, ...all] : each) {
        it(`${one.name} by ${name}, where it can`, async () => {
          const force = forced(name);
          try {
            if (half) await checkHalf(device, one, ofConv, force);
            else await checkAlone(device, one, force);
          } catch (error) {
            if (!/cannot run/.test((error as Error).message)) throw error;
          }
        });
      }
    }

    it('run at least by one group', async () => {
      const x = tensor(new Float32Array(32 * 64).fill(1), [1, 32, 8, 8]);
      const w = tensor(new Float32Array(32 * 32).fill(1), [32, 32, 1, 1]);
      const ran = [];
      for (const name of NAMES) {
        try {
          const y = conv2d(half ? x.half() : x, w).float();
          const { data } = await evaluate(device, y, {}, { force: { conv2d: name } });
          ran.push(data.every((value) => value === 32));
        } catch (error) {
          expect((error as Error).message).toMatch(/cannot run/);
        }
      }
      expect(ran.length).toBeGreaterThan(0);
      expect(ran).not.toContain(false);
    });
  });
}
