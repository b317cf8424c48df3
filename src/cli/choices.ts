import type { Plan } from '../engine/plan/types.js';
import type { Why } from '../engine/tuning/choose.js';

const words: Readonly<Record<Why, string>> = {
  forced: 'forced',
  tuned: 'by the tuning table',
  near: 'by a near entry of it',
  expected: 'by the share they expect',
};

/** How the kernels of a plan were chosen: `53 chosen among several, 53 by the tuning table`. */
export function choicesText({ steps }: Plan): string {
  const choices = new Map(steps.flatMap(({ group, choice }) => (choice ? [[group, choice.why]] : [])));
  const counts = Object.entries(words).flatMap(([why, text]) => {
    const count = [...choices.values()].filter((each) => each === why).length;
    return count > 0 ? [`${count} ${text}`] : [];
  });
  return `${choices.size} chosen among several${counts.length > 0 ? `, ${counts.join(', ')}` : ''}`;
}
