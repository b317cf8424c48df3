/** Connected components of a binary volume, by runs: cost follows the foreground, not the volume. */

/** Sizes in voxels. */
export interface VolumeShape {
  readonly depth: number;
  readonly height: number;
  readonly width: number;
}

/**
 * The largest component of `mask` under 6-connectivity, as a mask of its own (0 and 1).
 * Of equals the one that comes first in memory is taken. An empty mask gives an empty one.
 * @param mask depth x height x width, row-major; what is not 0 is foreground
 */
export function largestComponent(mask: Uint8Array, { depth, height, width }: VolumeShape): Uint8Array {
  if (mask.length !== depth * height * width) {
    throw new Error(
      `A mask of ${mask.length} voxels does not fit a volume of ${depth} x ${height} x ${width}.`,
    );
  }
  // Runs of foreground along x: where each begins and ends (flat indices), and its parent in the union-find forest.
  const begins: number[] = [];
  const ends: number[] = [];
  const parent: number[] = [];
  const firstRun = new Uint32Array(depth * height + 1);

  for (let row = 0; row < depth * height; row++) {
    firstRun[row] = begins.length;
    const rowStart = row * width;
    const rowEnd = rowStart + width;
    let at = rowStart;
    while (at < rowEnd) {
      if (mask[at] === 0) {
        at++;
        continue;
      }
      const begin = at;
      while (at < rowEnd && mask[at] !== 0) at++;
      parent.push(begins.length);
      begins.push(begin);
      ends.push(at);
    }
    firstRun[row + 1] = begins.length;
    if (row % height > 0) joinRows(row - 1, row);
    if (row >= height) joinRows(row - height, row);
  }

  const sizes = new Float64Array(begins.length);
  let best = -1;
  for (let run = 0; run < begins.length; run++) {
    const root = find(run);
    sizes[root] = (sizes[root] as number) + (ends[run] as number) - (begins[run] as number);
  }
  for (let run = 0; run < begins.length; run++) {
    if (best < 0 || (sizes[run] as number) > (sizes[best] as number)) best = run;
  }
  const largest = new Uint8Array(mask.length);
  for (let run = 0; run < begins.length; run++) {
    if (find(run) === best) largest.fill(1, begins[run], ends[run]);
  }
  return largest;

  /** Unites the runs of two rows that touch; both lists go from left to right, so one sweep finds all pairs. */
  function joinRows(before: number, row: number): void {
    const shift = (row - before) * width;
    let a = firstRun[before] as number;
    let b = firstRun[row] as number;
    const aEnd = firstRun[before + 1] as number;
    const bEnd = firstRun[row + 1] as number;
    while (a < aEnd && b < bEnd) {
      const aStop = (ends[a] as number) + shift;
      const bStop = ends[b] as number;
      if ((begins[a] as number) + shift < bStop && (begins[b] as number) < aStop) unite(a, b);
      if (aStop < bStop) a++;
      else b++;
    }
  }

  function find(run: number): number {
    let at = run;
    while (parent[at] !== at) {
      const up = parent[parent[at] as number] as number;
      parent[at] = up;
      at = up;
    }
    return at;
  }

  /** The earlier root stays root, so a component is known by its first run. */
  function unite(a: number, b: number): void {
    const x = find(a);
    const y = find(b);
    if (x < y) parent[y] = x;
    else parent[x] = y;
  }
}
