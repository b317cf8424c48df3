// Packs a 3x3 filter for block3x3.wgsl: [block][c][tap] of four output channels, zeros beyond the last.
//
// Mapping   one invocation, one vec4. Dispatch: ceil(COUNT / 64) workgroups of 64.
// Bytes     4 * weights, read and written once.
// Consts    COUNT: vec4 in `packed`; C, K: channels read and written by the convolution that uses it; K_FIRST: its first
//           channel here; WEIGHT_OFFSET, WEIGHT_TYPE (f32 or f16; packed is f32); TURNED: false packs w[K, C, 3, 3] as it is; true, for the input gradient, packs
//           w[C, K, 3, 3] with its taps turned round.

@group(0) @binding(0) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(1) var<storage, read_write> packed: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= COUNT) {
    return;
  }
  let tap = i % 9u;
  let c = i / 9u % C;
  let k = K_FIRST + i / (9u * C) * 4u;
  var four = vec4<f32>();
  for (var j = 0u; j < 4u; j++) {
    if (k + j < K) {
      let plain = ((k + j) * C + c) * 9u + tap;
      let turned = (c * K + k + j) * 9u + 8u - tap;
      four[j] = f32(weight[WEIGHT_OFFSET + select(plain, turned, TURNED)]);
    }
  }
  packed[i] = four;
}
