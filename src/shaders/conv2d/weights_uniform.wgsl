// Packed weights in a uniform buffer: the fastest place on adapters where a storage read is a gather.
// Const WEIGHTS: how many vec4 there are; at most 4096 (64 KiB).
@group(0) @binding(1) var<uniform> weights: array<vec4<f32>, WEIGHTS>;
