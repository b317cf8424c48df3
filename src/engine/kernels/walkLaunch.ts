import strided from '../../shaders/common/strided.wgsl';
import {
  type Constants,
  type Launch,
  numel,
  type Operand,
  operandBytes,
  prefixed,
  readThenWrite,
  type Shader,
  storedType,
} from '../kernel.js';
import {
  broadcastStrides,
  collapse,
  isSplat,
  lanesOf,
  lanesPiece,
  runGrid,
  type Target,
  walkPlace,
  walkShape,
} from './strided.js';

/**
 * A launch of one invocation for each V of the last operand, which is written and to which the others broadcast. Operands are
 * bound in their order; their names go before the constants that tell where they lie.
 *
 * @param maySplat whether an operand that is constant along the last axis may be read as one value by each invocation
 */
export function walkLaunch(
  shader: Shader,
  pieces: (lanes: 1 | 4) => readonly Shader[],
  operands: Readonly<Record<string, Operand>>,
  constants: Constants,
  name: string,
  flopsEach: number,
  target: Target | undefined,
  maySplat = false,
): Launch[] {
  const parts = Object.entries(operands);
  const all = Object.values(operands);
  const inputs = all.slice(0, -1);
  const output = all[inputs.length] as Operand;
  const elements = numel(output.shape);
  const walk = collapse(
    output.shape,
    all.map((x) => broadcastStrides(x, output.shape, name)),
  );
  if (elements === 0) return [];
  const splat = inputs.map((_, k) => maySplat && isSplat(walk, k));
  const offsets = all.map((x) => x.layout.offset);
  const lanes = lanesOf(walk, offsets, splat);
  const grid = runGrid(elements / lanes, lanes, target);
  // Its first size is never asked for: without it walks of one axis and any length share a pipeline.
  const shape = [1, ...walkShape(walk.shape, lanes).slice(1)];
  const places = parts.map(([part, x], k) => {
    const own = splat[k] ? 1 : lanes;
    return {
      ...walkPlace(part, x.layout.offset, walk.strides[k] as readonly number[], own),
      ...prefixed(part, { TYPE: storedType(x, own), VALUE: storedType({ dtype: 'f32' }, own) }),
    };
  });
  return [
    {
      shader,
      pieces: [lanesPiece(lanes), strided, ...pieces(lanes)],
      constants: Object.assign({ SHAPE: shape }, grid.constants, ...places, constants),
      bindings: readThenWrite(inputs, output),
      workgroups: grid.workgroups,
      variant: `${name} x${lanes}${walk.shape.length > 1 ? ` over ${walk.shape.length} axes` : ''}`,
      flops: elements * flopsEach,
      bytes: operandBytes(...all),
    },
  ];
}
