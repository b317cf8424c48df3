// Two blocks of 8 output channels for a subgroup of winograd_lanes.wgsl, each with a binding of its own.

@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, 4096>; // [blocks][C][3][8], the first of each pair of blocks
@group(0) @binding(4) var<uniform> weights2: array<vec4<f32>, 4096>; // the second

const BLOCKS = 2u;

// A value for each block.
alias Each = vec2<f32>;

fn each(first: f32, second: f32) -> Each {
  return Each(first, second);
}

fn of_block(v: Each, block: u32) -> f32 {
  return v[block];
}

// Nine taps of the lane's channels.
fn taps(at: u32) -> array<Each, 9> {
  let g = weights[at];
  let k = weights2[at];
  let g2 = weights[at + 8];
  let k2 = weights2[at + 8];
  return array<Each, 9>(
    Each(g[0], k[0]), Each(g[1], k[1]), Each(g[2], k[2]),
    Each(g[3], k[3]), Each(g2[0], k2[0]), Each(g2[1], k2[1]),
    Each(g2[2], k2[2]), Each(g2[3], k2[3]), Each(weights[at + 16][0], weights2[at + 16][0]),
  );
}
