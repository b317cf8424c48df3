// The elements of one V combined into one, where V is vec4<f32>.

fn across(v: V) -> f32 {
  return combine(combine(v.x, v.y), combine(v.z, v.w));
}
