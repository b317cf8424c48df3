import { expect, it } from 'vitest';
import { restWhile } from '../../src/node/rest.js';

/** Turns of the event loop until `end` has passed. */
async function turnsUntil(end: Promise<void>): Promise<number> {
  let turns = 0;
  let over = false;
  end.then(() => {
    over = true;
  });
  while (!over) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    turns++;
  }
  return turns;
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('lets the thread sleep while a wait is open, and not after it', async () => {
  let open = true;
  restWhile(() => open);
  const resting = await turnsUntil(after(400));
  open = false;
  await after(5);
  const free = await turnsUntil(after(400));
  expect(resting).toBeGreaterThan(10); // the loop goes on
  expect(resting).toBeLessThan(3000);
  expect(free).toBeGreaterThan(2 * resting);
});

it('goes by the newest of the waits that are open', async () => {
  let first = true;
  let second = true;
  restWhile(() => first);
  await after(200);
  restWhile(() => second);
  // Young waits are polled often: their results must not come late.
  const young = await turnsUntil(after(20));
  first = false;
  await after(200);
  const old = await turnsUntil(after(20));
  second = false;
  expect(young).toBeGreaterThan(old);
});
