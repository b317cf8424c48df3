/** The Train tab: settings, curves, samples, and the worker that trains. */
import { divergence, lowerRate } from '../../src/cli/divergence.js';
import { plural } from '../../src/cli/plural.js';
import { checkTrainConfig, smallPreset, type TrainConfig } from '../../src/unet/config.js';
import { CodedError, type Failure, failureOf } from '../rpc/failure.js';
import { Remote } from '../rpc/remote.js';
import { drawScene } from '../segment/draw.js';
import { make, need, save } from '../shell/dom.js';
import { chosen, type Files } from '../shell/drop.js';
import { FailurePanel } from '../shell/failurePanel.js';
import { LiveChart } from './charts.js';
import type {
  EpochEntry,
  SampleView,
  StepEntry,
  TrainData,
  TrainEvent,
  TrainFacts,
  TrainSetup,
} from './protocol.js';
import type { TrainApi } from './worker.js';

type State = 'idle' | 'starting' | 'running' | 'pausing' | 'paused' | 'ended';

const SAMPLE_PIXELS = 320;

/** A training that has not made its first step. */
interface Coming {
  readonly setup: TrainConfig;
  /** The status of what was trained before it; null where there are no such weights. */
  before: string | null;
  /** Whether the worker is its own, and no longer that of what was before. */
  ownWorker: boolean;
  facts: TrainFacts | null;
}

export class TrainTab {
  private readonly failure = new FailurePanel(need('train-failure', HTMLElement));
  private readonly losses = new LiveChart(need('loss-chart', HTMLElement), 'step', [
    { label: 'training', color: '--accent' },
    { label: 'held out', color: '--prediction' },
  ]);
  private readonly dice = new LiveChart(need('dice-chart', HTMLElement), 'epoch', [
    { label: 'mean', color: '--accent' },
  ]);
  private worker: Remote<TrainApi, TrainEvent> | null = null;
  private state: State = 'idle';
  private files: Files = new Map();
  private facts: TrainFacts | null = null;
  /** Of the training that runs or ran last. */
  private setup: TrainConfig | null = null;
  /** Until its first step, all that is shown and given away is of the training before. */
  private coming: Coming | null = null;
  /** The weights of a training whose worker is gone. */
  private kept: Uint8Array<ArrayBuffer> | null = null;
  private steps: StepEntry[] = [];
  private epochs: EpochEntry[] = [];

  /** @param use given the weights that Segment shall use */
  constructor(private readonly use: (weights: File) => void) {
    const form = need('train-form', HTMLFormElement);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.start();
    });
    const own = need('train-own', HTMLElement);
    const synthetic = need('train-synthetic', HTMLElement);
    const showData = (): void => {
      own.hidden = !this.wantsFiles;
      synthetic.hidden = this.wantsFiles;
    };
    form.addEventListener('change', showData);
    showData();
    for (const id of ['files', 'folder'] as const) {
      const input = need(`train-${id}`, HTMLInputElement);
      need(`train-open-${id}`, HTMLButtonElement).addEventListener('click', () => input.click());
      input.addEventListener('change', () => {
        this.take(chosen(input.files));
        input.value = '';
      });
    }
    this.button('pause').addEventListener('click', () => this.pause());
    this.button('stop').addEventListener('click', () => this.stop());
    this.button('save').addEventListener('click', () =>
      this.giving(async () =>
        save('shadergrad-unet.safetensors', await this.weights(), 'application/octet-stream'),
      ),
    );
    this.button('use').addEventListener('click', () =>
      this.giving(async () => this.use(new File([await this.weights()], 'trained-here.safetensors'))),
    );
    this.button('losses').addEventListener('click', () => this.saveLosses());
    // Only now is there someone to hear it.
    this.enter('idle');
  }

  diagnostics(): unknown {
    return { state: this.state, facts: this.facts, last: this.epochs.at(-1) ?? this.steps.at(-1) ?? null };
  }

  /** Takes a dropped folder or zip as the data. */
  take(files: Files): void {
    if (files.size === 0) return;
    this.files = files;
    const input = document.querySelector<HTMLInputElement>('input[name=train-data][value=files]');
    if (input && !input.checked) input.click();
    const [first] = files.keys();
    need('train-chosen', HTMLElement).textContent = files.size === 1 ? `${first}` : `${files.size} files.`;
  }

  private get wantsFiles(): boolean {
    return document.querySelector<HTMLInputElement>('input[name=train-data]:checked')?.value === 'files';
  }

  private button(name: string): HTMLButtonElement {
    return need(`train-${name}`, HTMLButtonElement);
  }

  private number(name: string): number {
    return need(`train-${name}`, HTMLInputElement).valueAsNumber;
  }

  private config(): TrainConfig {
    return {
      ...smallPreset,
      model: {
        ...smallPreset.model,
        depth: this.number('depth'),
        baseChannels: this.number('channels'),
        dropout: this.number('dropout'),
      },
      size: this.number('size'),
      epochs: this.number('epochs'),
      batchSize: this.number('batch'),
      lr: this.number('lr'),
      seed: this.number('seed'),
    };
  }

  private data(): TrainData {
    if (!this.wantsFiles) {
      return {
        is: 'synthetic',
        patients: this.number('patients'),
        slices: this.number('slices'),
        size: this.number('size'),
      };
    }
    if (this.files.size === 0) {
      throw new CodedError(
        'missing',
        'No slices were chosen: drop a folder or zip here, or take synthetic heads.',
      );
    }
    return { is: 'files', files: this.files };
  }

  private async start(): Promise<void> {
    this.failure.clear();
    let setup: TrainSetup;
    try {
      setup = { data: this.data(), config: this.config() };
      checkTrainConfig(setup.config);
    } catch (error) {
      // What was trained before is still there.
      this.failure.show(failureOf(error), () => this.start());
      return;
    }
    const before = this.state === 'ended' ? need('train-status', HTMLElement).textContent : null;
    const coming: Coming = { setup: setup.config, before, ownWorker: false, facts: null };
    this.coming = coming;
    this.enter('starting');
    await this.attempt(async () => {
      // As bytes: two trainings at once may be more than the GPU holds. A lost device gives none.
      const kept = before === null ? null : await this.weights().catch(() => null);
      if (this.coming !== coming) return;
      this.kept = kept;
      if (kept === null) coming.before = null;
      this.enter('starting');
      // A new worker each time: whatever the last one was at, or held, is gone.
      this.worker?.close();
      this.worker = new Remote<TrainApi, TrainEvent>('train-worker.js', (event) => this.onEvent(event));
      coming.ownWorker = true;
      coming.facts = await this.worker.call('start', setup);
      if (this.coming !== coming) this.showFacts(coming.facts);
    });
  }

  /** The first step is made: what was trained before is let go. */
  private begin(): void {
    if (!this.coming) return;
    const { setup, facts } = this.coming;
    this.coming = null;
    this.kept = null;
    this.setup = setup;
    this.steps = [];
    this.epochs = [];
    this.facts = null;
    need('train-facts', HTMLElement).textContent = ' ';
    if (facts) this.showFacts(facts);
    this.showSamples([]);
    need('train-warning', HTMLElement).replaceChildren();
    this.enter('running');
  }

  /** Ends what runs or starts. What was trained before one that only starts is there again. */
  private end(): void {
    const { before = null, ownWorker = true } = this.coming ?? {};
    this.coming = null;
    if (ownWorker) {
      this.worker?.close();
      this.worker = null;
    }
    this.say(before ?? 'Stopped.');
    this.enter(before === null ? 'idle' : 'ended');
  }

  private pause(): void {
    const on = this.state === 'running';
    this.enter(on ? 'pausing' : 'running');
    if (on) this.say('Pausing after this step …');
    this.worker?.call('pause', on).catch(() => {});
  }

  private stop(): void {
    if (this.state === 'starting') {
      this.end();
      return;
    }
    this.say('Stopping after this step …');
    this.worker?.call('stop', null).catch(() => {});
  }

  private async weights(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.kept) return this.kept;
    if (!this.worker) throw new CodedError('missing', 'There are no weights yet: start a training first.');
    return this.worker.call('weights', null);
  }

  private saveLosses(): void {
    const lines = [
      ...this.steps.map((entry) => ({ kind: 'step', ...entry })),
      ...this.epochs.map((entry) => ({ kind: 'epoch', ...entry })),
    ];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    save('metrics.jsonl', new TextEncoder().encode(text), 'application/jsonl');
  }

  private async attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fail(failureOf(error));
    }
  }

  /** Gives away what was trained; that it cannot is no end of the training. */
  private async giving(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code !== 'closed') this.failure.show(failure, () => this.giving(work));
    }
  }

  private fail(failure: Failure): void {
    if (failure.code === 'closed') return;
    this.end();
    this.failure.show(failure, () => this.start());
  }

  private onEvent(event: TrainEvent): void {
    switch (event.is) {
      case 'progress':
        this.progress(event);
        break;
      case 'step':
        this.begin();
        this.steps.push(event.entry);
        this.showCurves();
        this.showStep(event.entry);
        break;
      case 'epoch':
        this.epochs.push(event.entry);
        this.showCurves();
        this.showSamples(event.samples);
        this.watchLosses();
        break;
      case 'paused':
        this.enter('paused');
        this.say(`Paused after step ${this.steps.at(-1)?.step ?? 0} of ${this.facts?.steps ?? 0}.`);
        break;
      case 'ended':
        this.enter('ended');
        this.say(
          event.done
            ? `Done: ${plural(this.steps.length, 'step')}; Dice ${this.epochs.at(-1)?.dice?.toFixed(3) ?? 'unknown'}.`
            : `Stopped after step ${this.steps.at(-1)?.step ?? 0}.`,
        );
        break;
      case 'failure':
        this.fail(event.failure);
    }
  }

  private enter(state: State): void {
    this.state = state;
    const busy = state === 'running' || state === 'pausing' || state === 'paused';
    this.button('start').disabled = busy || state === 'starting';
    this.button('pause').disabled = state !== 'running' && state !== 'paused';
    this.button('pause').textContent = state === 'paused' ? 'Go on' : 'Pause';
    this.button('stop').disabled = !busy && state !== 'starting';
    for (const name of ['save', 'use']) {
      this.button(name).disabled = !busy && state !== 'ended' && (this.coming?.before ?? null) === null;
    }
    this.button('losses').disabled = this.steps.length === 0 && !busy;
    need('train-progress', HTMLProgressElement).classList.toggle('off', !busy && state !== 'starting');
  }

  private showCurves(): void {
    const valid = new Map(this.epochs.map(({ step, validLoss }) => [step, validLoss]));
    this.losses.show(
      this.steps.map(({ step }) => step),
      this.steps.map(({ loss }) => loss),
      this.steps.map(({ step }) => valid.get(step) ?? null),
    );
    this.dice.show(
      this.epochs.map(({ epoch }) => epoch),
      this.epochs.map(({ dice }) => dice),
    );
  }

  private showFacts(facts: TrainFacts): void {
    this.facts = facts;
    need('train-facts', HTMLElement).textContent = describe(facts);
  }

  private showStep({ step, epoch, loss }: StepEntry): void {
    const speed = this.epochs.at(-1)?.imagesPerSecond;
    if (this.state !== 'running') return;
    const bar = need('train-progress', HTMLProgressElement);
    bar.max = this.facts?.steps ?? 1;
    bar.value = step;
    this.say(
      `Epoch ${epoch}, step ${step}${this.facts ? ` of ${this.facts.steps}` : ''}: loss ${loss.toFixed(4)}${speed ? `; ${speed.toFixed(1)} images a second` : ''}`,
    );
  }

  /** Beside epoch and step, which stay in sight: where epochs are short, most of the time goes here. */
  private showValidation(done: number, total: number): void {
    const last = this.steps.at(-1);
    if (this.state !== 'running' || !last) return;
    this.say(`Epoch ${last.epoch}, step ${last.step}: looking at held-out slices, ${done} of ${total}`);
  }

  private showSamples(samples: readonly SampleView[]): void {
    need('train-samples', HTMLElement).replaceChildren(
      ...samples.map(({ name, width, height, gray, truth, mask }) => {
        const canvas = make('canvas', { width: SAMPLE_PIXELS, height: SAMPLE_PIXELS, role: 'img' });
        canvas.setAttribute('aria-label', `${name}, with its predicted and its true outline`);
        drawScene(canvas, {
          width,
          height,
          gray,
          truth,
          mask,
          probability: null,
          look: 'outline',
          opacity: 1,
        });
        return make('figure', {}, canvas, make('figcaption', {}, name));
      }),
    );
  }

  private progress({ what, done, total }: Extract<TrainEvent, { is: 'progress' }>): void {
    if (what === 'validate') {
      this.showValidation(done, total);
      return;
    }
    const bar = need('train-progress', HTMLProgressElement);
    bar.max = total;
    bar.value = done;
    this.say(
      {
        data: `Reading slices: ${done} of ${total}`,
        open: 'Opening the GPU …',
        compile: `Compiling kernels: ${done} of ${total}`,
        'warm-up': 'Warming up: the first step takes longer …',
      }[what],
    );
  }

  /** A warning stays until the next training: what diverged does not mend itself. */
  private watchLosses(): void {
    if (!this.setup) return;
    const { lr, diceWeight } = this.setup;
    const text = divergence(this.epochs, diceWeight);
    if (text === null) return;
    const line = `Warning: ${text}; start anew with a learning rate below ${lr}, such as ${lowerRate(lr)}.`;
    need('train-warning', HTMLElement).replaceChildren(make('li', {}, line));
  }

  private say(text: string): void {
    need('train-status', HTMLElement).textContent = text;
  }
}

function describe({ adapter, parameters, kernels, train, valid, steps, bytes }: TrainFacts): string {
  return `${plural(train.slices, 'slice')} of ${plural(train.patients, 'patient')} to train on, ${valid.slices} of ${valid.patients} held out; ${plural(parameters, 'parameter')}; ${plural(steps, 'step')} of ${plural(kernels, 'kernel')}, ${(bytes / 1e6).toFixed(1)} MB, on ${adapter}.`;
}
