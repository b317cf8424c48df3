// An op of one's own: a kernel in WGSL, how it is launched, and its gradient in other ops.
import { f32, Tensor } from 'shadergrad';

const code = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= COUNT) { return; }
  let v = x[X_OFFSET + id.x];
  y[Y_OFFSET + id.x] = v / (1.0 + exp(-BETA * v));
}`;

const swishOp = {
  name: 'swish',
  inputLayout: 'contiguous',
  outputLayout: 'contiguous',
  lower({ inputs: [x], output: y, attrs: { beta } }) {
    const COUNT = x.shape.reduce((product, size) => product * size, 1);
    const places = { X_OFFSET: x.layout.offset, Y_OFFSET: y.layout.offset };
    const constants = { COUNT, BETA: f32(beta), ...places };
    const bindings = [x, y].map((operand, at) => ({ at, operand, access: at === 0 ? 'read' : 'write' }));
    const workgroups = [Math.ceil(COUNT / 64), 1, 1];
    const cost = { flops: 4 * COUNT, bytes: 8 * COUNT };
    return [{ shader: { name: 'swish', code }, constants, bindings, workgroups, variant: 'plain', ...cost }];
  },
  gradient({ gy, inputs: [x], output: y, attrs: { beta } }) {
    const s = x.mul(beta).sigmoid();
    return [gy.mul(s.add(y.mul(beta).mul(s.neg().add(1))))];
  },
};

/** x sigmoid(beta x), element by element. @param {Tensor} x */
export const swish = (x, beta = 1) => Tensor.of(swishOp, [x], x.shape, { beta });
