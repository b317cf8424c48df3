// Lines of a 3x3 convolution in registers, for block8x3.wgsl and quads3x3.wgsl: rows of six pixels that add to lines of four. Needs
// `input` and reads it alone.

// Four pixels of eight channels.
struct Line {
  a: mat4x4<f32>, // channels 0 to 3 by pixel
  b: mat4x4<f32>, // channels 4 to 7 by pixel
}

// The taps of one row of the filter, for eight channels.
struct Taps {
  a: mat3x4<f32>,
  b: mat3x4<f32>,
}

// Six pixels of a row.
struct Row {
  left: vec3<f32>,
  right: vec3<f32>,
}

// Where a row's six pixels lie in the first channel of the image, and whether they are in the image: found once, for it
// is the same in every channel. Outside, any valid place is read.
struct Places {
  at_left: vec3<u32>,
  at_right: vec3<u32>,
  in_left: vec3<bool>,
  in_right: vec3<bool>,
}

// Unsigned: above and left of the image the index wraps round to a huge one. `&`, for `&&` is a branch, and SwiftShader compiles
// in a time that doubles with each branch in a row.
fn places(h: u32, w: u32, height: u32, width: u32) -> Places {
  let row = h < height;
  let columns = w + vec3<u32>(0, 1, 2);
  let in_left = (columns < vec3(width)) & vec3(row);
  let in_right = (columns + 3 < vec3(width)) & vec3(row);
  let at = h * width + columns;
  return Places(select(vec3<u32>(), at, in_left), select(vec3<u32>(), at + 3, in_right), in_left, in_right);
}

fn load_row(plane: u32, p: Places) -> Row {
  let left = plane + p.at_left;
  let right = plane + p.at_right;
  return Row(
    select(vec3<f32>(), vec3(input[left.x], input[left.y], input[left.z]), p.in_left),
    select(vec3<f32>(), vec3(input[right.x], input[right.y], input[right.z]), p.in_right),
  );
}

fn add(line: Line, v: Row, t: Taps) -> Line {
  let v1 = vec3(v.left.yz, v.right.x);
  let v2 = vec3(v.left.z, v.right.xy);
  return Line(
    mat4x4(
      line.a[0] + t.a * v.left,
      line.a[1] + t.a * v1,
      line.a[2] + t.a * v2,
      line.a[3] + t.a * v.right,
    ),
    mat4x4(
      line.b[0] + t.b * v.left,
      line.b[1] + t.b * v1,
      line.b[2] + t.b * v2,
      line.b[3] + t.b * v.right,
    ),
  );
}
