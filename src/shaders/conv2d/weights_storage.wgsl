// Packed weights in a storage buffer.
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
