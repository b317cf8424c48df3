import { convLadders } from './conv.js';
import { memoryLadders } from './memory.js';
import type { Ladder } from './problem.js';

/** Every ladder, in the order of the help. */
export const ladders: readonly Ladder[] = [...convLadders, ...memoryLadders];

/** The ladder of an op by its name, as the engine or as PyTorch writes it: `maxPool2d`, `max_pool2d`. */
export function ladderOf(name: string): Ladder | undefined {
  const plain = (text: string): string => text.replace(/[_-]/g, '').toLowerCase();
  return ladders.find((ladder) => plain(ladder.name) === plain(name));
}
