/** The bench's rows as one HTML page that needs no other file and no network. */
import { plural } from '../../src/cli/plural.js';
import { Html, html } from '../../src/cli/report/html.js';
import { STYLE } from '../../src/cli/report/style.js';
import { figure, type Report, type Row } from '../report.js';
import { type Dot, type Roof, roofline } from './roofline.js';

const OWN_STYLE = `
.roofline { width: 100%; height: auto; display: block; }
.roofline text { fill: var(--muted); font-size: 12px; }
.roofline .name { fill: var(--text); }
.roofline .grid { stroke: var(--line); }
.roofline .roof { fill: none; stroke: var(--text); stroke-width: 2; }
.dot { stroke-width: 1.5; }
.sign { width: 14px; height: 14px; margin-right: 6px; vertical-align: -2px; }
.ladders { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 12px; }
.bars .track::after { content: none; }
.bars .track::before { left: var(--roof, 100%); border-left: 2px dashed var(--muted); }
.bars .fill.chosen { background: var(--train); }
.bars .wrong { color: var(--warn); font-weight: 600; }
section > .card + .card { margin-top: 12px; }
.bars.free .track::before { content: none; }
`;

export function benchPage(report: Report): string {
  const { rows, adapter, software, versions, commit, date } = report;
  const roof = roofOf(rows);
  const ladder = rows.filter(({ suite, value }) => suite === 'ladder' && value !== null);
  const profile = rows.filter(({ suite }) => suite === 'profile');
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>shadergrad bench: ${adapter}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE)}${new Html(OWN_STYLE)}</style>
</head>
<body>
<main>
<header><h1>shadergrad bench</h1>
<p class="lead">${adapter}${software ? ' (software: it runs on the CPU)' : ''}, ${date.slice(0, 16).replace('T', ' ')} UTC, commit ${commit}; ${Object.entries(
    versions,
  )
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}</p></header>
${ceilings(rows)}
${
  roof && ladder.length + profile.length > 0
    ? html`<section aria-labelledby="roofline"><h2 id="roofline">Roofline</h2>${pictures(rows, roof)}</section>`
    : new Html('')
}
${ladder.length > 0 ? ladders(ladder) : new Html('')}
${profile.length > 0 ? profiles(profile) : new Html('')}
${peers(rows)}
${table(rows)}
<footer>Written by shadergrad bench; docs/bench.md says how each figure is taken.</footer>
</main>
</body>
</html>
`;
  return page.text;
}

function best(rows: readonly Row[], what: string): number | undefined {
  const row = rows.find((each) => each.suite === 'ceiling' && each.case === 'best' && each.what === what);
  return row?.value ?? undefined;
}

function roofOf(rows: readonly Row[]): Roof | undefined {
  const gflops = best(rows, 'multiply-add');
  const gbps = best(rows, 'copy, read + write');
  return gflops !== undefined && gbps !== undefined ? { gflops, gbps } : undefined;
}

function ceilings(rows: readonly Row[]): Html {
  const totals = rows.filter((row) => row.suite === 'ceiling' && row.case === 'best');
  if (totals.length === 0) return new Html('');
  return html`<div class="tiles">${totals.map(
    ({ what, value, unit }) =>
      html`<div class="card tile"><b>${figure(value ?? 0)} ${unit}</b><span>${what}: the adapter's ceiling</span></div>`,
  )}</div>`;
}

const isTime = ({ what, flops = 0, bytes = 0, value }: Row): boolean =>
  what.endsWith(': time') && flops > 0 && bytes > 0 && (value ?? 0) > 0;

/** Kernels below this share of a step are left out of its picture: they would stretch it to nothing. */
const LEAST_SHARE = 0.002;

/** One picture for each suite and case. The rate is that of the plain algorithm's operations. */
function pictures(rows: readonly Row[], roof: Roof): Html[] {
  return [...grouped(rows.filter(isTime), ({ suite, case: name }) => `${suite}: ${name}`)].map(
    ([title, list]) => {
      const ops = new Set(list.map(({ op }) => op));
      const total = list.reduce((sum, { value }) => sum + (value ?? 0), 0);
      const seen = list.filter(
        ({ suite, value }) => suite !== 'profile' || (value ?? 0) >= LEAST_SHARE * total,
      );
      const dots = seen.map((row): Dot => {
        const { op = '', layer, variant = '', flops = 0, bytes = 1, value } = row;
        const gflops = flops / (value ?? 1) / 1e6;
        const share = percent(gflops / Math.min(roof.gflops, (flops / bytes) * roof.gbps));
        const place = layer === undefined ? variant : `${layer}, ${variant}`;
        return {
          series: ops.size > 1 ? op : variant,
          title: `${op} ${place}: ${figure(value ?? 0)} ms, ${figure(gflops)} GFLOP/s, ${share} of the ceiling`,
          intensity: flops / bytes,
          gflops,
          chosen: row.chosen === true || row.suite === 'profile' || alone(row, list),
        };
      });
      return roofline(title, dots, roof);
    },
  );
}

/** True for the only kernel of its op on its layer. */
function alone({ op, layer }: Row, rows: readonly Row[]): boolean {
  return rows.filter((row) => row.op === op && row.layer === layer).length === 1;
}

const percent = (share: number): string => `${figure(100 * share)}%`;

function grouped(rows: readonly Row[], key: (row: Row) => string): Map<string, Row[]> {
  const map = new Map<string, Row[]>();
  for (const row of rows) map.set(key(row), [...(map.get(key(row)) ?? []), row]);
  return map;
}

interface Bar {
  readonly name: string;
  readonly share: number;
  readonly text: string;
  readonly chosen: boolean;
  readonly wrong?: boolean;
}

/** Bars whose full length is the ceiling, a dashed line, or the longest where one passes it; without `ceiling` the longest. */
function bars(list: readonly Bar[], ceiling = true): Html {
  const full = Math.max(ceiling ? 1 : 0, ...list.map(({ share }) => share));
  return html`<div class="bars${ceiling ? '' : ' free'}" style="--roof:calc(${(100 / full).toFixed(2)}% - 2px)">${list.map(
    ({ name, share, text, chosen, wrong }) =>
      html`<div><span class="name" title="${name}">${name}</span><span class="track"><span class="fill${chosen ? ' chosen' : ''}" style="width:${((100 * share) / full).toFixed(2)}%"></span></span><span class="value${wrong ? ' wrong' : ''}">${text}</span></div>`,
  )}</div>`;
}

function ladders(rows: readonly Row[]): Html {
  const blocks = grouped(rows, ({ case: name, op, layer }) => `${name} ${op}, ${layer}`);
  return html`<section aria-labelledby="ladders"><h2 id="ladders">Ladders</h2>
<p class="muted">Share of the ceiling: of the multiply-add or the copy rate, whichever bounds the layer (the dashed line). The darker bar is what the plan takes.</p>
<div class="ladders">${[...blocks].map(([title, list]) => html`<div class="card"><h3>${title}</h3>${bars(ladderBars(list))}</div>`)}</div></section>`;
}

function ladderBars(rows: readonly Row[]): Bar[] {
  return [...grouped(rows, ({ variant = '' }) => variant)].map(([name, list]): Bar => {
    const value = (what: string): number => list.find((row) => row.what.endsWith(`: ${what}`))?.value ?? 0;
    const wrong = list.some(({ note }) => note?.startsWith('WRONG'));
    const share = value('share of the ceiling');
    const text = `${figure(value('time'))} ms, ${figure(value('rate'))} GFLOP/s, ${percent(share)}${wrong ? ', WRONG' : ''}`;
    return { name, share, text, chosen: list.some(({ chosen }) => chosen), wrong };
  });
}

function profiles(rows: readonly Row[]): Html {
  const cases = grouped(rows, ({ case: name }) => name);
  return html`<section aria-labelledby="profile"><h2 id="profile">Where a training step's time goes</h2>${[
    ...cases,
  ].map(([name, list]) => {
    const groups = grouped(
      list.filter(({ op }) => op !== undefined),
      ({ op, variant }) => `${op}, ${variant}`,
    );
    const note = list.find(({ note: text }) => text)?.note ?? '';
    const steps = [...groups].map(([kernel, own]): Bar => {
      const value = (what: string): number => own.find((row) => row.what.endsWith(`: ${what}`))?.value ?? 0;
      const share = value('share of the step');
      const text = `${percent(share)}, ${figure(value('time'))} ms, ${plural(own[0]?.count ?? 1, 'dispatch', 'dispatches')}`;
      return { name: kernel, share, text, chosen: false };
    });
    return html`<div class="card"><h3>${name}</h3>${bars(steps, false)}<p class="muted">${note}</p></div>`;
  })}</section>`;
}

/** Times beside those of peers. */
function peers(rows: readonly Row[]): Html {
  const compared = rows.filter(
    ({ peerValue, unit, value }) => peerValue !== undefined && unit === 'ms' && value,
  );
  if (compared.length === 0) return new Html('');
  const blocks = grouped(compared, ({ case: name, what }) => `${name}: ${what}`);
  return html`<section aria-labelledby="peers"><h2 id="peers">Beside others</h2>
<div class="ladders">${[...blocks].map(([title, list]) => {
    const times = [
      { name: 'shadergrad', ms: list[0]?.value ?? 0, ours: true },
      ...list.map(({ peer = '', peerValue = 0 }) => ({ name: peer, ms: peerValue, ours: false })),
    ];
    const longest = Math.max(...times.map(({ ms }) => ms));
    return html`<div class="card"><h3>${title}</h3>${bars(
      times.map(({ name, ms, ours }) => ({
        name,
        share: ms / longest,
        text: `${figure(ms)} ms`,
        chosen: ours,
      })),
      false,
    )}</div>`;
  })}</div></section>`;
}

function table(rows: readonly Row[]): Html {
  const number = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : figure(value);
  return html`<details><summary>All ${rows.length} rows</summary><div class="scroll" tabindex="0"><table>
<thead><tr><th>suite</th><th>case</th><th>what</th><th>value</th><th>unit</th><th>peer</th><th>peer's</th><th>ratio</th><th>note</th></tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><td>${row.suite}</td><td>${row.case}</td><td>${row.what}</td><td>${number(row.value)}</td><td>${row.unit}</td><td>${row.peer ?? ''}</td><td>${number(row.peerValue)}</td><td>${number(row.ratio)}</td><td>${row.note ?? ''}</td></tr>`,
  )}</tbody></table></div></details>`;
}
