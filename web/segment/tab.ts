/** The Segment tab: what is open, what is shown, and the worker behind it. */
import { plural } from '../../src/cli/plural.js';
import { DEFAULT_THRESHOLD } from '../../src/unet/threshold.js';
import { CodedError, type Failure, failureOf } from '../rpc/failure.js';
import { Remote } from '../rpc/remote.js';
import { make, need, onceAFrame, onScheme, save } from '../shell/dom.js';
import { chosen, type Files } from '../shell/drop.js';
import { FailurePanel } from '../shell/failurePanel.js';
import type { GpuProbe } from '../shell/gpu.js';
import { drawScene, type Look } from './draw.js';
import { listenToKeys } from './keys.js';
import { type ModelChoice, ModelPicker } from './models.js';
import type { Encoding, SegmentEvent, SegmentTimes, VolumeView } from './protocol.js';
import { SegmentState } from './state.js';
import { drawStrip, sliceAt } from './strip.js';
import type { SegmentApi } from './worker.js';

type Worker = Remote<SegmentApi, SegmentEvent>;

/** Notes shown of many. */
const MOST_NOTES = 6;

const LOOKS: readonly Look[] = ['outline', 'fill', 'probability'];

export class SegmentTab {
  private readonly state = new SegmentState();
  private readonly failure = new FailurePanel(need('segment-failure', HTMLElement));
  private readonly stage = need('stage', HTMLElement);
  private readonly canvas = need('slice', HTMLCanvasElement);
  private readonly strip = need('strip', HTMLCanvasElement);
  private readonly scrubber = need('scrubber', HTMLInputElement);
  private readonly threshold = need('threshold', HTMLInputElement);
  private readonly opacity = need('opacity', HTMLInputElement);
  private readonly showPrediction = need('show-prediction', HTMLInputElement);
  private readonly showTruth = need('show-truth', HTMLInputElement);
  private readonly groups = need('groups', HTMLSelectElement);
  /** Of the list, the one that is open. */
  private group = '0';
  private readonly draw = onceAFrame(() => this.drawNow());
  private readonly picker: ModelPicker;
  private worker: Worker;
  /** Opens what is open once more, in a new worker. */
  private reopen: () => Promise<void> = () => this.openSample();
  private run = 0;
  private modelReady = false;
  private gpuReady = false;
  private wasShown = false;
  private times: SegmentTimes | null = null;

  constructor(gpu: GpuProbe) {
    this.worker = this.startWorker();
    this.picker = new ModelPicker(
      (choice) => this.useModel(choice),
      () => this.worker,
      (failure, retry, told) => this.fail(failure, retry, told),
      ({ threshold }) => this.cutAt(threshold ?? DEFAULT_THRESHOLD),
    );
    this.wire();
    gpu.watch((state) => {
      this.gpuReady = state.is === 'ready';
      if (this.gpuReady) this.segment();
      if (state.is === 'failed') this.say('No prediction: WebGPU is not to be had here.');
    });
    this.attempt(() => this.openSample());
    this.attempt(() => this.picker.load());
  }

  /** Called when the tab comes to be seen: before that nothing is computed for it. */
  show(): void {
    if (this.wasShown) return;
    this.wasShown = true;
    this.segment();
  }

  diagnostics(): unknown {
    const { volume } = this.state;
    return {
      model: this.picker.facts && { ...this.picker.facts },
      slices: volume.slices.length,
      sizes: [...new Set(volume.slices.map(({ width, height }) => `${width}x${height}`))],
      times: this.times,
    };
  }

  /** Takes dropped or chosen files: weights, or slices, masks, folders and zips. */
  take(files: Files): void {
    const weights = [...files.values()].find(({ name }) => /\.safetensors$/i.test(name));
    if (weights) this.picker.add(weights);
    const others = new Map([...files].filter(([path]) => !/\.safetensors$/i.test(path)));
    if (others.size > 0) this.attempt(() => this.openFiles(others), this.notOpened([...others.keys()]));
  }

  /** Takes weights that another tab has made. */
  takeWeights(file: File): void {
    this.picker.add(file);
  }

  private startWorker(): Worker {
    return new Remote<SegmentApi, SegmentEvent>('segment-worker.js', (event) => this.onEvent(event));
  }

  private async restart(): Promise<void> {
    this.worker.close();
    this.modelReady = false;
    this.worker = this.startWorker();
    await Promise.all([this.reopen(), this.picker.again()]);
  }

  /** Does something that may fail, and tells it if so. @param told what the status says then */
  private async attempt(work: () => Promise<unknown>, told = 'Stopped.'): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fail(failureOf(error), () => this.attempt(work, told), told);
    }
  }

  /** What the status says where files were refused. */
  private notOpened([first, ...others]: readonly string[]): string {
    const named = others.length === 0 ? first : `${first} and ${others.length} more`;
    return `Not opened: ${named}. What was open stays.`;
  }

  private fail(failure: Failure, retry: () => void, told = 'Stopped.'): void {
    if (failure.code === 'closed') return;
    this.progress(null);
    this.say(told);
    this.failure.show(failure, failure.code === 'part' ? () => this.attempt(() => this.restart()) : retry);
  }

  private onEvent(event: SegmentEvent): void {
    switch (event.is) {
      case 'progress':
        this.progress(event);
        break;
      case 'probabilities':
        if (event.run !== this.run) break;
        this.state.setProbabilities(event.index, event.data);
        this.figures();
        this.draw();
        break;
      case 'done': {
        if (event.run !== this.run) break;
        this.times = event.times;
        this.progress(null);
        const { sliceMs, firstSliceMs } = event.times;
        const each = sliceMs ?? firstSliceMs;
        const count = this.state.volume.slices.length;
        this.say(`${plural(count, 'slice')} segmented, ${each} ms each, on ${event.times.adapter}.`);
        break;
      }
      case 'failure':
        this.fail(event.failure, () => this.segment());
    }
  }

  private async openSample(): Promise<void> {
    const volume = await this.worker.call('sample', null);
    this.groups.parentElement?.toggleAttribute('hidden', true);
    this.reopen = () => this.openSample();
    this.showVolume(volume);
  }

  private async openFiles(files: Files): Promise<void> {
    this.failure.clear();
    const found = await this.worker.call('find', files);
    if (found.is === 'masks') {
      this.state.setTruths(found.truths);
      this.notes(found.notes);
      this.refresh();
      return;
    }
    // Only what can be read takes the place of what is open.
    const volume = await this.worker.call('open', { group: 0, of: 'drop' });
    this.groups.replaceChildren(
      ...found.groups.map(({ id, label, slices }) =>
        make('option', { value: `${id}` }, `${label} (${slices} ${slices === 1 ? 'slice' : 'slices'})`),
      ),
    );
    this.groups.parentElement?.toggleAttribute('hidden', found.groups.length < 2);
    this.group = '0';
    this.showVolume(volume);
    this.reopen = async () => {
      await this.worker.call('find', files);
      this.showVolume(await this.worker.call('open', { group: Number(this.group), of: 'drop' }));
    };
  }

  /** Opens another patient of the list. */
  private async openGroup(id: string): Promise<void> {
    try {
      this.showVolume(await this.worker.call('open', { group: Number(id), of: 'open' }));
      this.group = id;
    } catch (error) {
      this.groups.value = this.group;
      throw error;
    }
  }

  private showVolume(volume: VolumeView): void {
    this.state.setVolume(volume);
    this.state.index = this.state.largest();
    this.scrubber.max = `${Math.max(1, volume.slices.length)}`;
    this.scrubber.disabled = volume.slices.length < 2;
    this.notes(volume.notes);
    this.refresh();
    this.progress(null);
    this.segment();
  }

  private async useModel(choice: ModelChoice): Promise<void> {
    this.modelReady = false;
    this.state.forget();
    this.refresh();
    await choice(this.worker);
    this.modelReady = true;
    this.segment();
  }

  /** Starts segmenting what is open, once there are slices, weights and a GPU. */
  private segment(): void {
    if (!this.wasShown || !this.modelReady || !this.gpuReady || this.state.volume.slices.length === 0) return;
    this.failure.clear();
    this.state.forget();
    this.refresh();
    this.run++;
    const { run } = this;
    this.attempt(() => this.worker.call('segment', { run, from: this.state.index }));
  }

  private goTo(index: number): void {
    const last = this.state.volume.slices.length - 1;
    const to = Math.min(last, Math.max(0, index));
    if (last < 0 || to === this.state.index) return;
    this.state.index = to;
    this.worker.call('look', to).catch(() => {});
    this.refresh();
  }

  private get look(): Look {
    const chosenLook = document.querySelector<HTMLInputElement>('input[name=look]:checked')?.value;
    return LOOKS.find((look) => look === chosenLook) ?? 'outline';
  }

  private set look(look: Look) {
    const input = document.querySelector<HTMLInputElement>(`input[name=look][value=${look}]`);
    if (input) input.checked = true;
    this.draw();
  }

  private wire(): void {
    this.scrubber.addEventListener('input', () => this.goTo(this.scrubber.valueAsNumber - 1));
    this.strip.addEventListener('pointerdown', (event) => this.scrub(event));
    this.strip.addEventListener('pointermove', (event) => {
      if (event.buttons === 1) this.scrub(event);
    });
    this.threshold.addEventListener('input', () => this.setThreshold(this.threshold.valueAsNumber));
    this.opacity.addEventListener('input', () => this.setOpacity(this.opacity.valueAsNumber));
    for (const input of document.querySelectorAll('input[name=look], #show-prediction, #show-truth')) {
      input.addEventListener('change', this.draw);
    }
    this.wireFiles();
    need('save-tiff', HTMLButtonElement).addEventListener('click', () =>
      this.attempt(() => this.saveMask('tiff'), 'No mask was saved.'),
    );
    need('save-png', HTMLButtonElement).addEventListener('click', () =>
      this.attempt(() => this.saveMask('png'), 'No mask was saved.'),
    );
    new ResizeObserver(this.draw).observe(this.stage);
    onScheme(this.draw);
    const toggle = (input: HTMLInputElement): void => {
      if (!input.disabled) input.click();
    };
    listenToKeys(
      () => !need('panel-segment', HTMLElement).hidden && !document.querySelector('dialog[open]'),
      {
        step: (by) => this.goTo(this.state.index + by),
        end: (last) => this.goTo(last ? this.state.volume.slices.length - 1 : 0),
        prediction: () => toggle(this.showPrediction),
        truth: () => toggle(this.showTruth),
        fill: () => {
          this.look = this.look === 'fill' ? 'outline' : 'fill';
        },
        probability: () => {
          this.look = this.look === 'probability' ? 'outline' : 'probability';
        },
        threshold: (by) => this.setThreshold(this.state.threshold + by),
        opacity: (by) => this.setOpacity(this.opacity.valueAsNumber + by),
      },
    );
  }

  private wireFiles(): void {
    for (const id of ['files', 'folder'] as const) {
      const input = need(id, HTMLInputElement);
      need(`open-${id}`, HTMLButtonElement).addEventListener('click', () => input.click());
      input.addEventListener('change', () => {
        this.take(chosen(input.files));
        input.value = '';
      });
    }
    need('open-sample', HTMLButtonElement).addEventListener('click', () =>
      this.attempt(() => this.openSample()),
    );
    this.groups.addEventListener('change', () => {
      const { value, selectedOptions } = this.groups;
      this.attempt(() => this.openGroup(value), this.notOpened([selectedOptions[0]?.text ?? value]));
    });
  }

  private scrub(event: PointerEvent): void {
    const { left, width } = this.strip.getBoundingClientRect();
    this.goTo(sliceAt((event.clientX - left) / width, this.state.volume.slices.length));
  }

  /** As the slider can say it. */
  private setThreshold(value: number): void {
    this.cutAt(Math.round(100 * Math.min(0.99, Math.max(0.01, value))) / 100);
  }

  /** A model's own may lie between two steps of the slider. */
  private cutAt(threshold: number): void {
    this.threshold.value = `${threshold}`;
    need('threshold-value', HTMLOutputElement).value = threshold.toFixed(2);
    this.state.threshold = threshold;
    this.figures();
    this.draw();
  }

  private setOpacity(value: number): void {
    this.opacity.value = `${Math.min(100, Math.max(0, value))}`;
    need('opacity-value', HTMLOutputElement).value = `${this.opacity.value}%`;
    this.draw();
  }

  private async saveMask(format: Encoding['format']): Promise<void> {
    const { slices, name } = this.state.volume;
    const all = need('save-what', HTMLSelectElement).value === 'volume';
    const masks = (all ? [...slices.keys()] : [this.state.index]).flatMap((i) => {
      const slice = slices[i];
      const mask = this.state.mask(i);
      return slice && mask ? [{ name: slice.name, width: slice.width, height: slice.height, mask }] : [];
    });
    const [first] = masks;
    if (!first)
      throw new CodedError('missing', 'There is no mask to save yet: wait until the slice is segmented.');
    const bytes = await this.worker.call('encode', { format, masks });
    const ending = format === 'png' ? 'png' : 'tif';
    if (masks.length === 1) save(`${first.name}_mask.${ending}`, bytes, `image/${format}`);
    else save(`${name.replace(/[^\w.-]+/g, '_')}_masks.zip`, bytes, 'application/zip');
  }

  /** All that depends on which slices are open and which is looked at. */
  private refresh(): void {
    const { volume, index } = this.state;
    const slice = volume.slices[index];
    this.scrubber.value = `${index + 1}`;
    this.scrubber.setAttribute('aria-valuetext', `slice ${index + 1} of ${volume.slices.length}`);
    this.showTruth.disabled = !this.state.hasTruth;
    need('caption-name', HTMLElement).textContent = volume.name;
    need('caption-slice', HTMLElement).textContent = slice
      ? `${index + 1} of ${volume.slices.length}, ${slice.width} × ${slice.height}`
      : ' ';
    this.figures();
    this.draw();
  }

  private figures(): void {
    const { index } = this.state;
    const one = this.state.slice(index);
    const all = this.state.all();
    const put = (id: string, value: string): void => {
      need(id, HTMLElement).textContent = value;
    };
    const count = (value: number | null): string => value?.toLocaleString('en-US') ?? '–';
    const dice = (value: number | null): string => value?.toFixed(3) ?? '–';
    put('area-slice', count(one.area));
    put('area-volume', count(all.area));
    put('truth-slice', count(one.truth));
    put('truth-volume', count(all.truth));
    put('dice-slice', dice(one.dice));
    put('dice-volume', dice(all.dice));
    for (const id of ['save-tiff', 'save-png']) {
      need(id, HTMLButtonElement).disabled = one.area === null;
    }
    const { length } = this.state.volume.slices;
    const told = one.area === null ? 'no prediction yet' : `${plural(one.area, 'lesion pixel')} predicted`;
    const truth = one.truth === null ? '' : `, ${one.truth} true`;
    this.canvas.setAttribute('aria-label', `Slice ${index + 1} of ${length}: ${told}${truth}`);
  }

  private drawNow(): void {
    matchPixels(this.canvas);
    matchPixels(this.strip);
    drawStrip(this.strip, this.state);
    const slice = this.state.volume.slices[this.state.index];
    if (!slice) return;
    const { index } = this.state;
    const on = this.showPrediction.checked;
    drawScene(this.canvas, {
      width: slice.width,
      height: slice.height,
      gray: slice.gray,
      look: this.look,
      opacity: this.opacity.valueAsNumber / 100,
      mask: on ? this.state.mask(index) : null,
      probability: on ? this.state.probability(index) : null,
      truth: this.showTruth.checked ? this.state.truth(index) : null,
    });
  }

  private notes(notes: readonly string[]): void {
    const list = need('notes', HTMLElement);
    const shown = notes.slice(0, MOST_NOTES);
    if (notes.length > shown.length) shown.push(`… and ${notes.length - shown.length} more.`);
    list.replaceChildren(...shown.map((note) => make('li', {}, note)));
    list.hidden = shown.length === 0;
  }

  private say(text: string): void {
    need('segment-status', HTMLElement).textContent = text;
  }

  private progress(event: Extract<SegmentEvent, { is: 'progress' }> | null): void {
    const bar = need('segment-progress', HTMLProgressElement);
    bar.classList.toggle('off', event === null);
    if (event === null) return;
    const { what, done, total } = event;
    bar.max = total;
    // Without a value the bar moves by itself, which costs work though nothing is known.
    bar.value = what === 'warm-up' ? total : done;
    this.say(progressText(what, done, total));
  }
}

function progressText(
  what: Extract<SegmentEvent, { is: 'progress' }>['what'],
  done: number,
  total: number,
): string {
  const kb = (bytes: number): string => (bytes / 1000).toFixed(0);
  switch (what) {
    case 'fetch':
      return `Fetching weights: ${kb(done)} of ${kb(total)} KB`;
    case 'open':
      return total > 1 ? `Reading slices: ${done} of ${total}` : 'Opening the GPU …';
    case 'compile':
      return `Compiling kernels: ${done} of ${total}`;
    case 'warm-up':
      return 'Warming up: the first slice takes longer …';
    case 'run':
      return `Segmenting: ${done} of ${total}`;
  }
}

/** Gives a canvas as many pixels as the screen has under it. */
function matchPixels(canvas: HTMLCanvasElement): void {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round(canvas.clientHeight * devicePixelRatio);
  if (width > 0 && canvas.width !== width) canvas.width = width;
  if (height > 0 && canvas.height !== height) canvas.height = height;
}
