// Epilogue piece in the place of dropout: the gradient by what a ReLU was given, of which y is the result, dropped out or not.
// An element passes where y > 0. See epilogue.wgsl.
// Consts: SLOPE_FACTOR: 1 / (1 - p) of the dropout; SLOPE_OFFSET: first element of y in its buffer; SLOPE_GAP, SLOPE_IMAGE: elements
// between its images and of one, 0 and 1 where there are none between; SLOPE_TYPE: f32 or f16.

@group(0) @binding(9) var<storage, read> slope_of: array<SLOPE_TYPE>;

fn passed(v: f32, index: u32) -> f32 {
  let y = f32(slope_of[SLOPE_OFFSET + index + index / SLOPE_IMAGE * SLOPE_GAP]);
  return select(0.0, SLOPE_FACTOR * v, y > 0.0);
}
