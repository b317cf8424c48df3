// Convolution forward, the plainest: the reference to read first, and the kernel that takes every shape.
//
//   y[n,k,oh,ow] = epilogue( sum over c in the group, r, s of x[n, c, oh*SH - PH + r*DH, ow*SW - PW + s*DW] * w[k,c,r,s] )
//
// Mapping   one invocation, one output; lanes run along ow, so neighbours read neighbouring x and the same weight.
// Dispatch  ceil(N*K*OH*OW / 64) workgroups of 64, spread over x and y of the grid.
// FLOPs     2 * N*K*OH*OW * C/GROUPS*KH*KW (a multiply-add is two).
// Bytes     4 * (x + w + y), each once; but every multiply-add here loads both of its inputs, so caches carry
//           KH*KW*K/GROUPS reads of each x. That is what the later kernels of this folder save.
// Consts    N C H W, K OH OW, KH KW, SH SW, PH PW, DH DW, GROUPS; *_OFFSET and *_BATCH (first element, step between
//           images); *_TYPE: what an element is stored as, f32 or f16; GRID_WIDTH; those of the epilogue.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(2) var<storage, read_write> y: array<Y_TYPE>;

const CG = C / GROUPS;
const KG = K / GROUPS;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= N * K * OH * OW) {
    return;
  }
  let ow = i % OW;
  let oh = i / OW % OH;
  let k = i / (OW * OH) % K;
  let n = i / (OW * OH * K);

  // 0, which no compiler knows: it keeps loops as loops. Unrolled, they take seconds to compile on software adapters.
  let zero = i >> 31u;
  let first_channel = k / KG * CG;
  var sum = 0.0;
  for (var r = 0u; r < KH + zero; r++) {
    // Unsigned: a position above the image wraps round to a huge one, so one comparison tests both edges.
    let h = oh * SH + r * DH - PH;
    if (h >= H) {
      continue;
    }
    for (var s = 0u; s < KW + zero; s++) {
      let w = ow * SW + s * DW - PW;
      if (w >= W) {
        continue;
      }
      for (var c = 0u; c < CG + zero; c++) {
        let v = f32(x[X_OFFSET + n * X_BATCH + ((first_channel + c) * H + h) * W + w]);
        sum = fma(v, f32(weight[WEIGHT_OFFSET + ((k * CG + c) * KH + r) * KW + s]), sum);
      }
    }
  }
  y[Y_OFFSET + n * Y_BATCH + (k * OH + oh) * OW + ow] = Y_TYPE(epilogue(sum, k, i));
}
