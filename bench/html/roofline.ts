import { Html, html } from '../../src/cli/report/html.js';
import { figure } from '../report.js';
import { logScale } from './scale.js';

/** A kernel on a layer: its work by byte, and how fast it did it. */
export interface Dot {
  readonly series: string;
  readonly title: string;
  /** FLOP a byte. */
  readonly intensity: number;
  readonly gflops: number;
  /** Drawn full: the one that the plan takes. */
  readonly chosen: boolean;
}

export interface Roof {
  readonly gflops: number;
  readonly gbps: number;
}

const WIDTH = 900;
const HEIGHT = 480;
const AREA = { left: 58, right: WIDTH - 16, top: 18, bottom: HEIGHT - 44 };

/** What tells series apart, for those who see colours and for those who do not. */
const COLORS = ['#3b82f6', '#e8710a', '#16a34a', '#a855f7', '#e11d48', '#0891b2', '#b7860b', '#64748b'];
const SHAPES: readonly ((r: number) => string)[] = [
  (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`,
  (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (r) => `M0,${-1.3 * r}l${1.2 * r},${2.2 * r}h${-2.4 * r}z`,
  (r) => `M0,${-1.4 * r}l${1.4 * r},${1.4 * r}l${-1.4 * r},${1.4 * r}l${-1.4 * r},${-1.4 * r}z`,
];

function mark(series: number, chosen: boolean, x: number, y: number, title?: string): Html {
  const color = COLORS[series % COLORS.length] as string;
  const shape = (SHAPES[series % SHAPES.length] as (r: number) => string)(4.5);
  const tip = title === undefined ? new Html('') : html`<title>${title}</title>`;
  const fill = chosen ? `fill="${color}" fill-opacity=".9"` : 'fill="none"';
  return html`<path class="dot" d="${shape}" transform="translate(${x.toFixed(1)} ${y.toFixed(1)})" ${new Html(fill)} stroke="${color}">${tip}</path>`;
}

/** GFLOP/s over FLOP/byte, both logarithmic, under the roof of the device's copy and multiply-add rates. */
export function roofline(title: string, dots: readonly Dot[], { gflops, gbps }: Roof): Html {
  const ridge = gflops / gbps;
  const x = logScale(
    [...dots.map(({ intensity }) => intensity), ridge / 4, ridge * 4],
    AREA.left,
    AREA.right,
  );
  const y = logScale([...dots.map((dot) => dot.gflops), gflops], AREA.bottom, AREA.top);
  const roofAt = (intensity: number): number => Math.min(gflops, intensity * gbps);
  const start = Math.max(x.low, y.low / gbps);
  const roof = [start, ridge, x.high].map((i) => `${x.at(i).toFixed(1)},${y.at(roofAt(i)).toFixed(1)}`);
  const names = [...new Set(dots.map(({ series }) => series))];
  const line = (x1: number, y1: number, x2: number, y2: number) =>
    html`<line class="grid" x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}"/>`;
  const inside = (value: number, low: number, high: number) => value >= low && value <= high;
  return html`<div class="card"><h3>${title}</h3>
<svg class="roofline" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: ${dots.length} kernels under a roof of ${figure(gflops)} GFLOP/s and ${figure(gbps)} GB/s">
${x.ticks.map((t) => html`${line(x.at(t), AREA.top, x.at(t), AREA.bottom)}<text x="${x.at(t).toFixed(1)}" y="${AREA.bottom + 16}" text-anchor="middle">${t}</text>`)}
${y.ticks.map((t) => html`${line(AREA.left, y.at(t), AREA.right, y.at(t))}<text x="${AREA.left - 6}" y="${(y.at(t) + 4).toFixed(1)}" text-anchor="end">${t}</text>`)}
<text x="${(AREA.left + AREA.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">FLOP / byte, of the plain algorithm</text>
<text transform="translate(14 ${(AREA.top + AREA.bottom) / 2}) rotate(-90)" text-anchor="middle">GFLOP/s</text>
<polyline class="roof" points="${roof.join(' ')}"/>
<text class="name" x="${AREA.right - 6}" y="${(y.at(gflops) - 6).toFixed(1)}" text-anchor="end">multiply-add ${figure(gflops)} GFLOP/s</text>
${
  inside(roofAt(start * 1.3), y.low, y.high)
    ? html`<text class="name" transform="translate(${x.at(start * 1.3).toFixed(1)} ${(y.at(roofAt(start * 1.3)) - 8).toFixed(1)}) rotate(${slope(x, y)})">copy ${figure(gbps)} GB/s</text>`
    : new Html('')
}
${dots.map((dot) => mark(names.indexOf(dot.series), dot.chosen, x.at(dot.intensity), y.at(dot.gflops), dot.title))}
</svg>
<p class="key">${names.map((name, i) => html`<span><svg class="sign" viewBox="-8 -8 16 16" aria-hidden="true">${mark(i, true, 0, 0)}</svg>${name}</span>`)}</p>
<p class="muted">One mark a kernel and layer, full where it is the plan's own choice; point at one for its name.</p></div>`;
}

/** Degrees by which the slanted part of the roof rises on the screen. */
function slope(x: ReturnType<typeof logScale>, y: ReturnType<typeof logScale>): string {
  const angle = Math.atan2(y.at(10 * y.low) - y.at(y.low), x.at(10 * x.low) - x.at(x.low));
  return ((angle * 180) / Math.PI).toFixed(1);
}
