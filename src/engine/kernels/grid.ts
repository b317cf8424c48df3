/** Spreads a one-dimensional launch over x and y, since a grid has at most 65,535 workgroups a dimension. */
export function grid1d(
  count: number,
  workgroupSize: number,
): { workgroups: readonly [number, number, number]; constants: { GRID_WIDTH: number } } {
  const groups = Math.max(1, Math.ceil(count / workgroupSize));
  const rows = Math.ceil(groups / 65535);
  const columns = Math.ceil(groups / rows);
  return { workgroups: [columns, rows, 1], constants: { GRID_WIDTH: columns * workgroupSize } };
}
