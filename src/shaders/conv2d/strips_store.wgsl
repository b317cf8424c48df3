// How strips.wgsl and its like store a value: where CHUNKS launches add up, to what the ones before left; the last, or only, one
// with activation and dropout. Needs `output`, size(), activate().

fn store_value(inside: bool, place: u32, v: f32, index: u32) {
  if (inside) {
    var sum = v;
    if (CHUNKS > 1) {
      if (size(18) != 0) {
        sum += f32(output[place]);
      }
      if (size(19) == 0) {
        output[place] = OUT_TYPE(sum);
        return;
      }
    }
    output[place] = OUT_TYPE(activate(sum, index));
  }
}
