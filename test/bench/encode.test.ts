import { expect, it } from 'vitest';
import { encode } from '../../bench/suites/encode.js';
import { benchContext } from './support.js';

it('times the encoding of the plan for this device, and on the CPU of one for a GPU', async () => {
  const context = await benchContext();
  try {
    const rows = await encode.run(context);
    const { software } = context.device.facts;
    expect(rows.map(({ what }) => what.replace(/\d+/, 'N'))).toEqual([
      'encoding a step, plan for this device, N dispatches',
      ...(software ? ['encoding a step, plan for nvidia, N dispatches'] : []),
    ]);
    for (const { value, unit } of rows) {
      expect(unit).toBe('ms');
      expect(value).toBeGreaterThan(0);
    }
  } finally {
    await context.close();
  }
}, 120_000);
