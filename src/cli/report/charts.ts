/** The report's curves: what they show, and the code that draws them in the page. */
import type { EpochRecord, StepRecord } from '../records.js';

/** A curve of a chart; `null` where it has no value. */
export interface Series {
  readonly label: string;
  /** Names the CSS variable `--<color>`. */
  readonly color: 'train' | 'valid' | 'third';
  readonly values: readonly (number | null)[];
}

/** A chart: curves over the same rising x. */
export interface Chart {
  readonly title: string;
  readonly xLabel: 'epoch' | 'step';
  readonly x: readonly number[];
  readonly series: readonly Series[];
  /** A value of x to mark, the best epoch. */
  readonly mark: number | null;
}

/** No chart has more points than this; neighbours are averaged. */
const MOST_POINTS = 600;

/** The charts of a run, those without data left out. */
export function chartsOf(epochs: readonly EpochRecord[], steps: readonly StepRecord[]): Chart[] {
  const x = epochs.map(({ epoch }) => epoch);
  const best = epochs.findLast((each) => each.best)?.epoch ?? null;
  const over = (title: string, series: readonly Series[]): Chart => ({
    title,
    xLabel: 'epoch',
    x,
    series,
    mark: best,
  });
  const both = (title: string, of: 'loss' | 'bce' | 'dice') =>
    over(title, [
      { label: 'train', color: 'train', values: epochs.map(({ train }) => train[of]) },
      { label: 'valid', color: 'valid', values: epochs.map(({ valid }) => valid[of]) },
    ]);
  const quality = (
    label: string,
    color: Series['color'],
    of: (each: EpochRecord['quality']) => number | null,
  ) => ({
    label,
    color,
    values: epochs.map((each) => of(each.quality)),
  });
  const charts = [
    over('Dice of validation patients', [
      quality('mean', 'train', (q) => q.meanDice),
      quality('median', 'valid', (q) => q.medianDice),
      quality('lesion slices', 'third', (q) => q.lesionSliceDice),
    ]),
    both('Loss', 'loss'),
    both('Cross-entropy', 'bce'),
    both('Dice loss', 'dice'),
    over('False-positive slices', [quality('slices', 'valid', (q) => q.falsePositiveSlices)]),
  ].filter((chart) => chart.x.length > 0);
  if (steps.length === 0) {
    return epochs.length === 0
      ? charts
      : [
          ...charts,
          over('Learning rate', [{ label: 'lr', color: 'train', values: epochs.map(({ lr }) => lr) }]),
        ];
  }
  return [
    ...charts,
    thinned('Training loss by step', steps, [['loss', 'train', (each) => each.loss]]),
    thinned('Learning rate', steps, [['lr', 'train', (each) => each.lr]]),
  ];
}

function thinned(
  title: string,
  steps: readonly StepRecord[],
  series: readonly [label: string, color: Series['color'], of: (each: StepRecord) => number][],
): Chart {
  const size = Math.ceil(steps.length / MOST_POINTS);
  const groups = Array.from({ length: Math.ceil(steps.length / size) }, (_, i) =>
    steps.slice(i * size, (i + 1) * size),
  );
  const mean = (group: readonly StepRecord[], of: (each: StepRecord) => number) =>
    group.reduce((sum, each) => sum + of(each), 0) / group.length;
  return {
    title,
    xLabel: 'step',
    x: groups.map((group) => (group.at(-1) as StepRecord).step),
    series: series.map(([label, color, of]) => ({
      label: size > 1 ? `${label}, mean of ${size}` : label,
      color,
      values: groups.map((group) => mean(group, of)),
    })),
    mark: null,
  };
}

/** The little of uPlot's interface that `drawCharts` uses. */
interface Plot {
  readonly bbox: { readonly top: number; readonly height: number };
  readonly ctx: CanvasRenderingContext2D;
  valToPos(value: number, scale: string, canvas: boolean): number;
  setSize(size: { width: number; height: number }): void;
  destroy(): void;
}
type PlotMaker = new (options: unknown, data: unknown, element: Element) => Plot;

/**
 * Draws every chart into the element `chart-<i>`, again at each change of width and of the color scheme.
 * It runs in the page: its source text is written there, so it may use nothing from outside itself.
 */
export function drawCharts(charts: readonly Chart[], UPlot: PlotMaker): void {
  const color = (name: string) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const short = (value: number | null) =>
    value === null || value === undefined
      ? ''
      : Math.abs(value) >= 1000
        ? String(Math.round(value))
        : String(Number(value.toPrecision(4)));
  const plots: Plot[] = [];
  const sizeOf = (element: Element) => ({
    width: Math.max(200, Math.floor(element.clientWidth)),
    height: 220,
  });

  const draw = (): void => {
    for (const plot of plots.splice(0)) plot.destroy();
    charts.forEach((chart, i) => {
      const element = document.getElementById(`chart-${i}`);
      if (element === null) return;
      const axis = {
        stroke: color('muted'),
        font: '11px system-ui, sans-serif',
        grid: { stroke: color('line'), width: 1 },
        ticks: { stroke: color('line'), width: 1, size: 4 },
      };
      const whole = (_: unknown, splits: readonly number[]) =>
        splits.map((value) => (Number.isInteger(value) ? String(value) : ''));
      const markBest = (plot: Plot): void => {
        if (chart.mark === null) return;
        const at = Math.round(plot.valToPos(chart.mark, 'x', true)) + 0.5;
        plot.ctx.save();
        plot.ctx.strokeStyle = color('muted');
        plot.ctx.setLineDash([4, 4]);
        plot.ctx.beginPath();
        plot.ctx.moveTo(at, plot.bbox.top);
        plot.ctx.lineTo(at, plot.bbox.top + plot.bbox.height);
        plot.ctx.stroke();
        plot.ctx.restore();
      };
      const options = {
        ...sizeOf(element),
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 28, space: 40, values: whole },
          {
            ...axis,
            size: 54,
            space: 34,
            values: (_: unknown, splits: readonly number[]) => splits.map(short),
          },
        ],
        series: [
          {
            label: chart.xLabel,
            value: (_: unknown, value: number | null) => (value === null ? '' : String(value)),
          },
          ...chart.series.map((series) => ({
            label: series.label,
            stroke: color(series.color),
            width: 2,
            points: { show: chart.x.length <= 40, size: 5, fill: color(series.color) },
            value: (_: unknown, value: number | null) => short(value),
          })),
        ],
        hooks: { drawAxes: [markBest] },
        cursor: { y: false, drag: { x: true, y: false } },
      };
      plots.push(new UPlot(options, [chart.x, ...chart.series.map((series) => series.values)], element));
    });
  };

  draw();
  let width = document.documentElement.clientWidth;
  addEventListener('resize', () => {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    draw();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
}
