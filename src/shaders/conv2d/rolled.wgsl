// Piece of the matrix products, as unrolled.wgsl, for adapters that run on the CPU, which take seconds to compile what they
// unroll: 0, for workgroup memory begins as zeros, but no compiler knows it.

var<workgroup> START: u32;
