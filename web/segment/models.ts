import { plural } from '../../src/cli/plural.js';
import { CodedError, type Failure, failureOf } from '../rpc/failure.js';
import type { Remote } from '../rpc/remote.js';
import { make, need } from '../shell/dom.js';
import type { ModelEntry, ModelFacts, SegmentEvent } from './protocol.js';
import type { SegmentApi } from './worker.js';

type Worker = Remote<SegmentApi, SegmentEvent>;

/** Makes the worker's model the chosen one. */
export type ModelChoice = (worker: Worker) => Promise<void>;

/** The list of models, shipped and one's own, and the cache of their weights. */
export class ModelPicker {
  /** Of the model in use. */
  facts: ModelFacts | null = null;
  private readonly list = need('models', HTMLSelectElement);
  private readonly told = need('model-facts', HTMLElement);
  private readonly clear = need('clear-cache', HTMLButtonElement);
  private readonly entries = new Map<string, ModelEntry | File>();
  private inUse = '';

  constructor(
    private readonly use: (choice: ModelChoice) => Promise<void>,
    private readonly worker: () => Worker,
    private readonly fail: (failure: Failure, retry: () => void, told: string) => void,
    /** Another model than before is in use. */
    private readonly changed: (facts: ModelFacts) => void,
  ) {
    this.list.addEventListener('change', () => this.choose(this.list.value));
    const input = need('weights', HTMLInputElement);
    need('open-weights', HTMLButtonElement).addEventListener('click', () => input.click());
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      if (file) this.add(file);
      input.value = '';
    });
    this.clear.addEventListener('click', async () => {
      await this.worker().call('clearCache', null);
      await this.tellCache();
    });
  }

  /** Fills the list and takes its first. @throws CodedError where the server does not give it */
  async load(): Promise<void> {
    let entries: readonly ModelEntry[];
    try {
      const response = await fetch('models/models.json');
      entries = (await response.json()) as readonly ModelEntry[];
    } catch {
      throw new CodedError('weights', 'The list of models could not be fetched: the server does not answer.');
    }
    for (const entry of entries) this.put(entry.file, entry.name, entry);
    const [first] = entries;
    if (first) await this.choose(first.file);
  }

  /** One's own weights; they become the model in use. */
  add(file: File): void {
    const key = `file:${file.name}`;
    this.put(key, `${file.name} (yours)`, file);
    this.choose(key);
  }

  /** The model in use once more, in a new worker. */
  async again(): Promise<void> {
    await this.choose(this.inUse || this.list.value);
  }

  private put(key: string, label: string, entry: ModelEntry | File): void {
    if (!this.entries.has(key)) this.list.append(make('option', { value: key }, label));
    this.entries.set(key, entry);
  }

  private remove(key: string): void {
    this.entries.delete(key);
    for (const option of this.list.options) if (option.value === key) option.remove();
  }

  private async choose(key: string): Promise<void> {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.list.value = key;
    this.told.textContent = 'Loading …';
    try {
      await this.use(async (worker) => {
        this.facts =
          entry instanceof File
            ? await worker.call('readModel', entry)
            : await worker.call('fetchModel', entry);
        if (this.inUse !== key) this.changed(this.facts);
        this.inUse = key;
        this.told.textContent = describe(this.facts);
      });
      await this.tellCache();
    } catch (error) {
      this.told.textContent = this.inUse ? 'Not loaded.' : 'No model.';
      let told = 'No prediction: the weights were not loaded.';
      // A file that cannot be used leaves the model before it in its place.
      if (entry instanceof File && this.inUse !== '' && this.inUse !== key) {
        this.remove(key);
        await this.choose(this.inUse);
        told = `Not taken: ${entry.name}. The weights before it stay in use.`;
      }
      this.fail(failureOf(error), () => this.choose(key), told);
    }
  }

  private async tellCache(): Promise<void> {
    const bytes = await this.worker().call('cachedBytes', null);
    this.clear.disabled = bytes === 0;
    this.clear.title =
      bytes === 0 ? 'No weights are cached.' : `${kilobytes(bytes)} are cached in this browser.`;
  }
}

function kilobytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function describe({ config, parameters, size, bytes, from }: ModelFacts): string {
  const { depth, baseChannels, inChannels } = config;
  const where = { network: 'fetched', cache: 'from the cache', file: 'from your file' }[from];
  const trained = size === null ? 'run at each slice’s own size' : `trained at ${size} × ${size}`;
  return `U-Net: ${plural(depth, 'level')}, ${plural(baseChannels, 'base channel')}, ${inChannels} in; ${plural(parameters, 'parameter')}, ${trained}; ${kilobytes(bytes)} ${where}.`;
}
