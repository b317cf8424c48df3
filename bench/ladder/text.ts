import { aligned, figure, type Row } from '../report.js';

/** What is said of a variant that cannot run a layer. */
export const UNFIT = 'does not run: not this layer on this device';

/**
 * Each layer's kernels beside each other, the fastest with a star and the one that the plan takes named so, and below
 * them what a whole net's layers take.
 */
export function ladderText(rows: readonly Row[]): string {
  const blocks = groups(rows, ({ case: name, op, layer }) => `${name} ${op}, ${layer}`);
  const parts = [...blocks].map(([title, block]) => layerText(title, block));
  for (const [title, group] of groups(rows, ({ case: name, op }) => `${name} ${op}`)) {
    const totals = totalsText(title, group);
    if (totals) parts.push(totals);
  }
  return parts.join('\n\n');
}

function groups(rows: readonly Row[], key: (row: Row) => string): Map<string, Row[]> {
  const map = new Map<string, Row[]>();
  for (const row of rows) {
    const list = map.get(key(row));
    if (list) list.push(row);
    else map.set(key(row), [row]);
  }
  return map;
}

const percent = (share: number): string => `${figure(share * 100)}%`;
const part = (rows: readonly Row[], what: string): Row | undefined =>
  rows.find((row) => row.what.endsWith(`: ${what}`));

function layerText(title: string, rows: readonly Row[]): string {
  const variants = groups(rows, ({ variant }) => variant ?? '');
  const times = [...variants.values()].map((list) => part(list, 'time')?.value ?? Number.POSITIVE_INFINITY);
  const best = Math.min(...times);
  const notes: string[] = [];
  const lines = [...variants].map(([name, list]) => {
    const time = part(list, 'time');
    for (const { note } of list) if (note && note !== UNFIT) notes.push(`  ${name}: ${note}`);
    if (!time || time.value === null) return [name, '-'];
    const [rate, bandwidth, share, error] = ['rate', 'bandwidth', 'share of the ceiling', 'error'].map(
      (what) => part(list, what)?.value ?? Number.NaN,
    ) as [number, number, number, number];
    return [
      `${name}${time.value === best && times.length > 1 ? ' *' : ''}${time.chosen ? ' (plan)' : ''}`,
      figure(time.value),
      time.low === undefined ? '' : `${figure(time.low)}..${figure(time.high ?? Number.NaN)}`,
      figure(rate),
      figure(bandwidth),
      percent(share),
      `${figure(error)}${part(list, 'error')?.note ? ' WRONG' : ''}`,
      counted(time.kernels ?? []),
    ];
  });
  const unfit = rows.filter(({ note }) => note === UNFIT).map(({ variant }) => variant);
  if (unfit.length > 0) notes.push(`  ${UNFIT}: ${unfit.join(', ')}`);
  const { flops = 0, bytes = 0, count = 1 } = rows[0] ?? {};
  const work = `${figure(flops / 1e6)} MFLOP, ${figure(bytes / 1e6)} MB${count > 1 ? `, ${count} such layers` : ''}`;
  const head = ['variant', 'ms', 'spread', 'GFLOP/s', 'GB/s', 'of ceiling', 'error', 'kernels'];
  return [`${title} (${work})`, aligned(head, lines, [1, 2, 3, 4, 5, 6]), ...notes].join('\n');
}

/** Time of all the net's layers, each by one variant, and each by its fastest. */
function totalsText(title: string, rows: readonly Row[]): string | undefined {
  const times = rows.filter(({ what }) => what.endsWith(': time'));
  const all = groups(times, ({ layer }) => layer ?? '');
  // A layer that none of the variants asked for can run would make every total endless.
  const layers = new Map([...all].filter(([, list]) => list.some(({ value }) => value !== null)));
  if (layers.size < 2) return undefined;
  const sum = (pick: (list: readonly Row[]) => number | null | undefined): number =>
    [...layers.values()].reduce(
      (total, list) => total + (pick(list) ?? Number.NaN) * (list[0]?.count ?? 1),
      0,
    );
  const fastest = sum((list) => Math.min(...list.map(({ value }) => value ?? Number.POSITIVE_INFINITY)));
  const variants = [...new Set(times.map(({ variant }) => variant ?? ''))];
  const totals = variants
    .map((name) => ({ name, total: sum((list) => list.find(({ variant }) => variant === name)?.value) }))
    .filter(({ total }) => !Number.isNaN(total))
    .map(({ name, total }) => `${name} ${figure(total)} ms`);
  const each = variants.length > 1 ? `; the fastest of each ${figure(fastest)} ms` : '';
  const which =
    layers.size < all.size
      ? `the ${layers.size} of ${all.size} layers that run here`
      : 'all layers of the net';
  return `${title}, ${which}: ${[...totals].join(', ')}${each}`.replace(': ; t', ': t');
}

/** `a (2 times) + b`: a layer in several launches would fill the screen. */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, n]) => (n > 1 ? `${name} (${n} times)` : name)).join(' + ');
}
