// One block of 8 output channels for a subgroup of winograd_lanes.wgsl, where a layer has no two to fill.

@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, 4096>; // [blocks][C][3][8]

const BLOCKS = 1u;

alias Each = f32;

fn each(first: f32, second: f32) -> Each {
  return first;
}

fn of_block(v: Each, block: u32) -> f32 {
  return v;
}

// Nine taps of the lane's channel.
fn taps(at: u32) -> array<Each, 9> {
  let g = weights[at];
  let g2 = weights[at + 8];
  return array<Each, 9>(g[0], g[1], g[2], g[3], g2[0], g2[1], g2[2], g2[3], weights[at + 16][0]);
}
