import './style.css';
import { SegmentTab } from './segment/tab.js';
import { startDiagnostics, type Teller } from './shell/diagnostics.js';
import { need } from './shell/dom.js';
import { onDrop } from './shell/drop.js';
import { FailurePanel } from './shell/failurePanel.js';
import { GpuProbe } from './shell/gpu.js';
import { startTabs } from './shell/tabs.js';

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
const tellers: Teller[] = [['segment', () => segment.diagnostics()]];

startTabs(['segment', 'train', 'kernels'], () => {});
startDiagnostics(gpu, tellers);
onDrop(
  document.body,
  (files) => segment.take(files),
  (over) => document.body.classList.toggle('over', over),
);
gpu.open();
