// Gradient of a convolution by its weight, the plainest form.
//
//   gw[k,c,r,s] = sum over n, oh, ow of gy[n,k,oh,ow] * x[n, c, oh*SH - PH + r*DH, ow*SW - PW + s*DW]
//
// Mapping   one invocation, one weight. Rows are summed on their own and then added, which keeps the rounding error of
//           a sum over 10^5 terms near that of one over a few hundred.
// Dispatch  ceil(K*C/GROUPS*KH*KW / 64) workgroups of 64, spread over x and y of the grid. A layer of few channels has
//           few weights, each a very long sum: few invocations, all slow. The later kernels split the sum.
// FLOPs     2 * N*K*OH*OW * C/GROUPS*KH*KW.
// Bytes     4 * (x + gy + gw), each once.
// Consts    as forward_direct.wgsl, with GY_* and GW_OFFSET; gw is f32 whatever x and gy are stored as.

@group(0) @binding(0) var<storage, read> x: array<X_TYPE>;
@group(0) @binding(1) var<storage, read> gy: array<GY_TYPE>;
@group(0) @binding(2) var<storage, read_write> gw: array<f32>;

const CG = C / GROUPS;
const KG = K / GROUPS;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x + id.y * GRID_WIDTH;
  if (i >= K * CG * KH * KW) {
    return;
  }
  let s = i % KW;
  let r = i / KW % KH;
  let c = i / (KW * KH) % CG;
  let k = i / (KW * KH * CG);
  // 0, which no compiler knows: it keeps loops as loops. Unrolled, they take seconds to compile on software adapters.
  let zero = i >> 31u;
  let channel = k / KG * CG + c;

  var sum = 0.0;
  for (var n = 0u; n < N + zero; n++) {
    for (var oh = 0u; oh < OH + zero; oh++) {
      let h = oh * SH + r * DH - PH; // wraps round to a huge value above the image
      if (h >= H) {
        continue;
      }
      let x_row = X_OFFSET + n * X_BATCH + (channel * H + h) * W;
      let gy_row = GY_OFFSET + n * GY_BATCH + (k * OH + oh) * OW;
      var row = 0.0;
      for (var ow = 0u; ow < OW + zero; ow++) {
        let w = ow * SW + s * DW - PW;
        if (w < W) {
          row = fma(f32(x[x_row + w]), f32(gy[gy_row + ow]), row);
        }
      }
      sum += row;
    }
  }
  gw[GW_OFFSET + i] = sum;
}
