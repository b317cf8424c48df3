// Where winograd_strips.wgsl and winograd_lanes.wgsl have their pixels from. Needs `input`.

// Where a vector of pixels lies in the first channel of its image, and whether it is in the image at all.
struct Source {
  at: u32,
  inside: bool,
}

// Unsigned: above and left of the image the index wraps round to a huge one. Outside, any valid place is read.
fn source(image: u32, h: u32, w: u32, height: u32, width: u32) -> Source {
  let inside = (h < height) & (w < width);
  return Source(image + select(0, h * width + w, inside), inside);
}

fn load(s: Source, plane: u32) -> f32 {
  return select(0.0, f32(input[s.at + plane]), s.inside);
}
