/** The Kernels tab: the bench, and a kernel's source to change and to run. */
import type { CaseName } from '../../bench/context.js';
import { benchPage } from '../../bench/html/page.js';
import { figure, type Report, type Row, reportText } from '../../bench/report.js';
import { type Failure, failureOf } from '../rpc/failure.js';
import { Remote } from '../rpc/remote.js';
import { make, need, save } from '../shell/dom.js';
import { FailurePanel } from '../shell/failurePanel.js';
import type { GpuProbe } from '../shell/gpu.js';
import { Editor } from './editor.js';
import type { KernelsEvent, LadderInfo, Measured, Place, SuiteName, VariantInfo } from './protocol.js';
import type { KernelsApi } from './worker.js';

declare const SHADERGRAD_VERSION: string;

const SUITES: readonly SuiteName[] = ['ladder', 'step', 'infer', 'profile'];

export class KernelsTab {
  private readonly failure = new FailurePanel(need('kernels-failure', HTMLElement));
  private readonly net = need('bench-case', HTMLSelectElement);
  private readonly op = need('bench-op', HTMLSelectElement);
  private readonly layer = need('bench-layer', HTMLSelectElement);
  private readonly runs = need('bench-runs', HTMLInputElement);
  private readonly variant = need('kernel-variant', HTMLSelectElement);
  private readonly said = need('kernel-said', HTMLElement);
  private readonly results = need('results', HTMLIFrameElement);
  private readonly editor = new Editor(
    () => this.runKernel(),
    () => this.enable(),
  );
  private worker = this.startWorker();
  private ladders: readonly LadderInfo[] = [];
  private variants: readonly VariantInfo[] = [];
  private report: Report | null = null;
  private busy = false;

  constructor(gpu: GpuProbe) {
    const { state } = gpu;
    // A CPU takes long at the sizes that a GPU does in no time.
    if (state.is === 'ready' && state.facts.software) this.net.value = 'tiny';
    this.net.addEventListener('change', () => this.attempt(() => this.listLadders()));
    this.op.addEventListener('change', () => this.attempt(() => this.listLayers()));
    this.layer.addEventListener('change', () => this.attempt(() => this.listVariants()));
    this.variant.addEventListener('change', () => this.showSource());
    need('bench-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.attempt(() => this.bench());
    });
    need('bench-stop', HTMLButtonElement).addEventListener('click', () => this.stop());
    need('bench-copy', HTMLButtonElement).addEventListener('click', () => this.copy());
    need('kernel-run', HTMLButtonElement).addEventListener('click', () => this.runKernel());
    need('kernel-reset', HTMLButtonElement).addEventListener('click', () => this.showSource());
    this.attempt(() => this.listLadders());
  }

  diagnostics(): unknown {
    return { place: this.place(), busy: this.busy, figures: this.report?.rows.length ?? 0 };
  }

  private startWorker(): Remote<KernelsApi, KernelsEvent> {
    return new Remote<KernelsApi, KernelsEvent>('kernels-worker.js', ({ text }) =>
      this.say(`Measuring: ${text}`),
    );
  }

  private place(): Place & { readonly runs: number } {
    return {
      net: this.net.value as CaseName,
      op: this.op.value,
      layer: this.layer.value,
      runs: this.runs.valueAsNumber,
    };
  }

  private async listLadders(): Promise<void> {
    const { value } = this.op;
    this.ladders = await this.worker.call('ladders', this.net.value as CaseName);
    this.op.replaceChildren(...this.ladders.map(({ name }) => make('option', { value: name }, name)));
    if (this.ladders.some(({ name }) => name === value)) this.op.value = value;
    await this.listLayers();
  }

  private async listLayers(): Promise<void> {
    const ladder = this.ladders.find(({ name }) => name === this.op.value);
    const layers = ladder?.layers ?? [];
    this.op.title = ladder?.about ?? '';
    this.layer.replaceChildren(...layers.map((name) => make('option', { value: name }, name)));
    await this.listVariants();
  }

  private async listVariants(): Promise<void> {
    const { value } = this.variant;
    const asked = this.place();
    const variants = await this.worker.call('variants', asked);
    // Another op or layer was chosen meanwhile: its own list comes.
    if (!samePlace(asked, this.place())) return;
    this.variants = variants;
    const picked = this.variant.value === value ? undefined : this.variant.value;
    this.variant.replaceChildren(
      ...this.variants.map(({ name, chosen }) =>
        make('option', { value: name }, chosen ? `${name} (what the plan takes)` : name),
      ),
    );
    const names = this.variants.map(({ name }) => name);
    const chosen = this.variants.find((variant) => variant.chosen)?.name ?? names[0] ?? '';
    // What was picked while the list was on its way counts.
    this.variant.value = picked !== undefined && names.includes(picked) ? picked : chosen;
    this.showSource();
  }

  private variantShown(): VariantInfo | undefined {
    return this.variants.find(({ name }) => name === this.variant.value);
  }

  private showSource(): void {
    const shown = this.variantShown();
    this.editor.text = shown?.source ?? '';
    need('kernel-file', HTMLElement).textContent = shown
      ? `src/shaders/${shown.file}.wgsl, ${shown.workgroups.join(' × ')} workgroups`
      : ' ';
    this.enable();
  }

  private async bench(): Promise<void> {
    const chosen = [...document.querySelectorAll<HTMLInputElement>('input[name=bench-suite]:checked')];
    const suites = SUITES.filter((name) => chosen.some(({ value }) => value === name));
    const measured = await this.during(() => this.worker.call('bench', { ...this.place(), suites }));
    this.show(measured);
    this.say(`Done: ${measured.rows.length} figures.`);
  }

  private runKernel(): void {
    const shown = this.variantShown();
    if (!shown || this.busy) return;
    this.attempt(async () => {
      this.tell('Running …', false);
      const { text: code } = this.editor;
      const request = { ...this.place(), variant: shown.name, code };
      try {
        const { rows } = await this.during(() => this.worker.call('kernel', request));
        this.tell(...verdict(rows, shown.name));
        this.say('Done.');
      } catch (error) {
        const failure = failureOf(error);
        if (failure.code !== 'kernel') throw error;
        this.say('The kernel does not compile.');
        this.tell(failure.message, true);
        const [, line, column] = /yours\.wgsl:(\d+):(\d+)/.exec(failure.message) ?? [];
        if (line !== undefined) this.editor.goTo(Number(line), Number(column));
      }
    });
  }

  private stop(): void {
    this.worker.close();
    this.worker = this.startWorker();
    this.say('Stopped.');
  }

  private async copy(): Promise<void> {
    if (!this.report) return;
    const text = reportText(this.report);
    try {
      await navigator.clipboard.writeText(text);
      this.say('Copied.');
    } catch {
      save('bench.json', new TextEncoder().encode(text), 'application/json');
      this.say('The browser did not let the page copy, so it is saved as bench.json.');
    }
  }

  private show({ adapter, software, rows }: Measured): void {
    this.report = {
      adapter,
      software,
      versions: { shadergrad: SHADERGRAD_VERSION, browser: navigator.userAgent },
      commit: `of release ${SHADERGRAD_VERSION}`,
      date: new Date().toISOString(),
      rows,
    };
    need('results-none', HTMLElement).hidden = true;
    this.results.hidden = false;
    this.results.onload = () => {
      const page = this.results.contentDocument?.documentElement;
      if (page) this.results.style.height = `${page.scrollHeight + 20}px`;
    };
    this.results.srcdoc = benchPage(this.report);
    this.enable();
  }

  private async during<T>(work: () => Promise<T>): Promise<T> {
    this.failure.clear();
    this.busy = true;
    this.enable();
    try {
      return await work();
    } finally {
      this.busy = false;
      this.enable();
    }
  }

  private async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fail(failureOf(error), () => this.attempt(work));
    }
  }

  private fail(failure: Failure, retry: () => void): void {
    if (failure.code === 'closed') return;
    this.say('Stopped.');
    this.tell(' ', false);
    if (failure.code === 'part') this.worker = this.startWorker();
    this.failure.show(failure, retry);
  }

  private enable(): void {
    const shown = this.variantShown();
    const busy = this.busy;
    need('bench-run', HTMLButtonElement).disabled = busy || this.variants.length === 0;
    need('bench-stop', HTMLButtonElement).disabled = !busy;
    need('bench-copy', HTMLButtonElement).disabled = this.report === null;
    need('kernel-run', HTMLButtonElement).disabled = busy || !shown;
    need('kernel-reset', HTMLButtonElement).disabled = !shown || this.editor.text === shown.source;
    for (const select of [this.net, this.op, this.layer, this.variant]) select.disabled = busy;
  }

  private tell(text: string, wrong: boolean): void {
    this.said.textContent = text;
    this.said.classList.toggle('wrong', wrong);
  }

  private say(text: string): void {
    need('bench-status', HTMLElement).textContent = text;
  }
}

function samePlace(a: Place, b: Place): boolean {
  return a.net === b.net && a.op === b.op && a.layer === b.layer;
}

/** What a run of one's own kernel says, and whether it is bad news. */
function verdict(rows: readonly Row[], beside: string): [text: string, wrong: boolean] {
  const of = (variant: string, what: string): Row | undefined =>
    rows.find((row) => row.variant === variant && row.what.endsWith(`: ${what}`));
  const line = (label: string, variant: string): string => {
    const [time, rate, share, error] = ['time', 'rate', 'share of the ceiling', 'error'].map(
      (what) => of(variant, what)?.value ?? null,
    );
    if (time === null || time === undefined) return `${label}: ${of(variant, 'time')?.note ?? 'did not run'}`;
    return `${label}: ${figure(time)} ms, ${figure(rate ?? 0)} GFLOP/s, ${figure(100 * (share ?? 0))}% of the ceiling, error ${figure(error ?? 0)}`;
  };
  const bad = of('yours.wgsl', 'error')?.note ?? of('yours.wgsl', 'time')?.note;
  const head = bad ? bad : 'Right: it agrees with the reference.';
  return [[head, line('yours', 'yours.wgsl'), line(beside, beside)].join('\n'), bad !== undefined];
}
