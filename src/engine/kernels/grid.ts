/** Workgroups that a grid has at most along one dimension. */
const MOST = 65535;

/**
 * Spreads a one-dimensional launch over x and y, since a grid has at most 65,535 workgroups a dimension. GRID_WIDTH, invocations
 * of a row, is the same for all grids of one row, which never ask for it: so kernels that differ in nothing else share a pipeline.
 */
export function grid1d(
  count: number,
  workgroupSize: number,
): { workgroups: readonly [number, number, number]; constants: { GRID_WIDTH: number } } {
  const groups = Math.max(1, Math.ceil(count / workgroupSize));
  const rows = Math.ceil(groups / MOST);
  const columns = Math.ceil(groups / rows);
  const width = rows === 1 ? MOST : columns;
  return { workgroups: [columns, rows, 1], constants: { GRID_WIDTH: width * workgroupSize } };
}
