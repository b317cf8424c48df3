// Gradient of a convolution by its input, which is also the transposed convolution's forward; the plainest form.
//
//   gx[n,c,h,w] = epilogue( sum over k in the group, r, s of gy[n,k,oh,ow] * w[k,c,r,s] )
//   over the outputs that read this input: oh*SH = h + PH - r*DH and ow*SW = w + PW - s*DW, both exact.
//
// Mapping   one invocation, one input element, as a gather: it looks up which outputs it went into, so nothing is
//           scattered, no atomics are needed and the order of the sum is fixed.
// Dispatch  ceil(N*C*H*W / 64) workgroups of 64, spread over x and y of the grid.
// FLOPs     2 * N*K*OH*OW * C/GROUPS*KH*KW.
// Bytes     4 * (gy + w + gx), each once.
// Consts    as forward_direct.wgsl, with GY_* and GX_* for the operands.

@group(0) @binding(0) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(1) var<storage, read> weight: array<WEIGHT_TYPE>;
@group(0) @binding(2) var<storage, read_write> gx: array<GX_TYPE>;

const CG = C / GROUPS;
const KG = K / GROUPS;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= N * C * H * W) {
    return;
  }
  let w = i % W;
  let h = i / W % H;
  let c = i / (W * H) % C;
  let n = i / (W * H * C);

  // 0, which no compiler knows: it keeps loops as loops. Unrolled, they take seconds to compile on software adapters.
  let zero = i >> 31u;
  let first_channel = c / CG * KG;
  var sum = 0.0;
  for (var r = 0u; r < KH + zero; r++) {
    // Wraps round to a huge value where the tap lies above the first output; then oh >= OH.
    let up = h + PH - r * DH;
    let oh = up / SH;
    if (up % SH != 0 || oh >= OH) {
      continue;
    }
    for (var s = 0u; s < KW + zero; s++) {
      let left = w + PW - s * DW;
      let ow = left / SW;
      if (left % SW != 0 || ow >= OW) {
        continue;
      }
      for (var k = 0u; k < KG + zero; k++) {
        let g = f32(gy[GY_OFFSET + n * GY_BATCH + ((first_channel + k) * OH + oh) * OW + ow]);
        let v = f32(weight[WEIGHT_OFFSET + (((first_channel + k) * CG + c % CG) * KH + r) * KW + s]);
        sum = fma(g, v, sum);
      }
    }
  }
  gx[GX_OFFSET + n * GX_BATCH + (c * H + h) * W + w] = GX_TYPE(epilogue(sum, c, i));
}
