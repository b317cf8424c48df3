// The elements of one V combined into one, where V is f32.

fn across(v: V) -> f32 {
  return v;
}
