import { fail } from '../errors.js';
import { conv2dVariants } from '../kernels/conv2dVariants.js';

/** The kernels of each op that has several, by name, from the plainest on: what `force` and tuning tables may name. */
export const variantsByOp: Readonly<Record<string, readonly string[]>> = {
  conv2d: conv2dVariants.forward,
  conv2dInputGrad: conv2dVariants.inputGrad,
  conv2dWeightGrad: conv2dVariants.weightGrad,
};

/**
 * Option `force` of a plan from words: `conv2d=direct` for one op, `direct` for every op that has such a kernel. Later
 * words win.
 * @throws ShaderGradError listing what there is where an op or a kernel is unknown
 */
export function parseForce(words: readonly string[]): Record<string, string> {
  const forced: Record<string, string> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    const variant = word.slice(at + 1);
    const ops = at < 0 ? Object.keys(variantsByOp) : [word.slice(0, at)];
    const having = ops.filter((op) => Object.hasOwn(variantsByOp, op) && variantsByOp[op]?.includes(variant));
    if (having.length === 0) {
      const known = at < 0 || !Object.hasOwn(variantsByOp, ops[0] as string) ? variantsByOp : null;
      const there = Object.entries(known ?? { [ops[0] as string]: variantsByOp[ops[0] as string] ?? [] })
        .map(([op, names]) => `${op}=${names.join('|')}`)
        .join(', ');
      fail(`No kernel can be forced by "${word}"; there are ${there}.`);
    }
    for (const op of having) forced[op] = variant;
  }
  return forced;
}
