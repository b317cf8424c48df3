import UPlot from 'uplot';
import { cssColor, onceAFrame, onScheme } from '../shell/dom.js';

/** A curve: its name, and the CSS variable of its colour. */
export interface Curve {
  readonly label: string;
  readonly color: `--${string}`;
}

type Values = readonly (number | null)[];

const HEIGHT = 220;

/** A chart that grows; drawn at most once a frame, as wide as its place, in the colours of the system's scheme. */
export class LiveChart {
  private data: readonly [readonly number[], ...Values[]];
  private plot: UPlot | null = null;
  private readonly draw = onceAFrame(() => this.plot?.setData(this.data as UPlot.AlignedData));

  constructor(
    private readonly place: HTMLElement,
    private readonly xLabel: string,
    private readonly curves: readonly Curve[],
  ) {
    this.data = [[], ...curves.map(() => [])];
    onScheme(() => this.make());
    new ResizeObserver(() => {
      const width = place.clientWidth;
      if (width > 0 && width !== this.plot?.width) this.make();
    }).observe(place);
  }

  /** @param x rising @param values of each curve, null where it has none */
  show(x: readonly number[], ...values: readonly Values[]): void {
    this.data = [x, ...values];
    this.draw();
  }

  /** What the legend shows: the value under the pointer, and the latest where there is no pointer. */
  private legend(text: (value: number) => string) {
    return (_: UPlot, value: number | null, series: number, index: number | null): string => {
      const values: Values = this.data[series] ?? [];
      const shown = index === null ? values.findLast((each) => each !== null) : value;
      return typeof shown === 'number' ? text(shown) : '–';
    };
  }

  private make(): void {
    const width = this.place.clientWidth;
    this.plot?.destroy();
    this.plot = null;
    if (width === 0) return;
    const axis = {
      stroke: cssColor('--muted'),
      grid: { stroke: cssColor('--line'), width: 1 },
      ticks: { stroke: cssColor('--line'), width: 1, size: 4 },
    };
    const options: UPlot.Options = {
      width,
      height: HEIGHT,
      scales: { x: { time: false } },
      axes: [
        { ...axis, values: (_, splits) => splits.map((v) => (Number.isInteger(v) ? `${v}` : '')) },
        { ...axis, size: 52 },
      ],
      series: [
        { label: this.xLabel, value: this.legend((value) => `${value}`) },
        ...this.curves.map(({ label, color }) => ({
          label,
          stroke: cssColor(color),
          width: 1.5,
          spanGaps: true,
          value: this.legend((value) => value.toPrecision(4)),
        })),
      ],
      cursor: { y: false },
    };
    this.plot = new UPlot(options, this.data as UPlot.AlignedData, this.place);
  }
}
