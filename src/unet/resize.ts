/**
 * Bilinear resize of one plane [height, width] with pixel centres aligned at half pixels and no antialiasing, as
 * torch.nn.functional.interpolate(mode='bilinear', align_corners=False).
 */
export function resizePlane(
  plane: Float32Array,
  height: number,
  width: number,
  toHeight: number,
  toWidth: number,
): Float32Array {
  if (height === toHeight && width === toWidth) return plane;
  const out = new Float32Array(toHeight * toWidth);
  const columns = Array.from({ length: toWidth }, (_, x) => source(x, width, toWidth));
  for (let y = 0; y < toHeight; y++) {
    const row = source(y, height, toHeight);
    const above = row.first * width;
    const below = row.second * width;
    for (let x = 0; x < toWidth; x++) {
      const { first, second, share } = columns[x] as Source;
      const top = (plane[above + first] as number) * (1 - share) + (plane[above + second] as number) * share;
      const bottom =
        (plane[below + first] as number) * (1 - share) + (plane[below + second] as number) * share;
      out[y * toWidth + x] = top * (1 - row.share) + bottom * row.share;
    }
  }
  return out;
}

interface Source {
  readonly first: number;
  readonly second: number;
  readonly share: number;
}

function source(at: number, size: number, toSize: number): Source {
  const position = Math.max(0, ((at + 0.5) * size) / toSize - 0.5);
  const first = Math.min(size - 1, Math.floor(position));
  return { first, second: Math.min(size - 1, first + 1), share: position - first };
}
