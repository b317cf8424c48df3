// Style sheets of parts that are loaded later belong here: only this one's are linked.
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { failureOf } from './rpc/failure.js';
import { SegmentTab } from './segment/tab.js';
import { startDiagnostics, type Teller } from './shell/diagnostics.js';
import { need } from './shell/dom.js';
import { onDrop } from './shell/drop.js';
import { FailurePanel } from './shell/failurePanel.js';
import { GpuProbe } from './shell/gpu.js';
import { startTabs } from './shell/tabs.js';
import type { TrainTab } from './train/tab.js';

const gpu = new GpuProbe();
const failure = new FailurePanel(need('gpu-failure', HTMLElement));
const status = need('gpu-status', HTMLElement);

gpu.watch((state) => {
  failure.clear();
  if (state.is === 'opening') status.textContent = 'Opening the GPU …';
  if (state.is === 'ready') {
    status.textContent = state.facts.software ? `${state.name}, on the CPU` : state.name;
    status.title = state.facts.software
      ? 'This adapter runs on the CPU: everything works, far slower than on a GPU.'
      : state.name;
  }
  if (state.is === 'failed') {
    status.textContent = 'No GPU';
    failure.show(state.failure, () => gpu.open());
  }
});

const segment = new SegmentTab(gpu);
let train: Promise<TrainTab> | undefined;
let kernels: Promise<void> | undefined;
const tellers: Teller[] = [['segment', () => segment.diagnostics()]];

/** The other tabs are loaded when they are first shown. */
async function loadTrain(): Promise<TrainTab> {
  const { TrainTab } = await import('./train/tab.js');
  const tab = new TrainTab((weights) => {
    segment.takeWeights(weights);
    need('tab-segment', HTMLButtonElement).click();
  });
  tellers.push(['train', () => tab.diagnostics()]);
  return tab;
}

async function loadKernels(): Promise<void> {
  const { KernelsTab } = await import('./kernels/tab.js');
  const tab = new KernelsTab(gpu);
  tellers.push(['kernels', () => tab.diagnostics()]);
}

/** Loads a tab; where that fails, says so in it. */
async function show(place: string, load: () => Promise<unknown>): Promise<void> {
  try {
    await load();
  } catch (error) {
    const message = `This part could not be loaded: ${failureOf(error).message}`;
    const panel = new FailurePanel(need(place, HTMLElement));
    panel.show({ code: 'part', message }, () => location.reload());
  }
}

let shown = 'segment';
startTabs(['segment', 'train', 'kernels'], (name) => {
  shown = name;
  if (name === 'segment') segment.show();
  if (name === 'train') show('train-failure', () => (train ??= loadTrain()));
  if (name === 'kernels') show('kernels-failure', () => (kernels ??= loadKernels()));
});
startDiagnostics(gpu, tellers);
onDrop(
  document.body,
  async (files) => {
    if (shown === 'train') (await train)?.take(files);
    else if (shown === 'segment') segment.take(files);
  },
  (over) => document.body.classList.toggle('over', over),
);
gpu.open();
