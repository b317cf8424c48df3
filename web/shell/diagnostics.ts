import { need } from './dom.js';
import type { GpuProbe } from './gpu.js';

declare const SHADERGRAD_VERSION: string;

/** A part of the page that has something to tell, by its name. */
export type Teller = readonly [name: string, tell: () => unknown];

/** The Diagnostics button: shows what would help to find a fault, and copies it. */
export function startDiagnostics(gpu: GpuProbe, tellers: readonly Teller[]): void {
  const dialog = need('diagnostics', HTMLDialogElement);
  const said = need('diagnostics-said', HTMLElement);
  const text = need('diagnostics-text', HTMLTextAreaElement);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text.value);
      said.textContent = 'Copied. It names this machine’s GPU and browser, and no file.';
    } catch {
      text.select();
      said.textContent = 'The browser did not let the page copy: press Ctrl+C or ⌘C, all is selected.';
    }
  };
  need('diagnostics-open', HTMLButtonElement).addEventListener('click', () => {
    text.value = JSON.stringify(tell(gpu, tellers), null, 2);
    said.textContent = ' ';
    dialog.showModal();
    copy();
  });
  need('diagnostics-copy', HTMLButtonElement).addEventListener('click', copy);
  need('diagnostics-close', HTMLButtonElement).addEventListener('click', () => dialog.close());
}

function tell(gpu: GpuProbe, tellers: readonly Teller[]): object {
  const { state } = gpu;
  return {
    shadergrad: SHADERGRAD_VERSION,
    date: new Date().toISOString(),
    browser: navigator.userAgent,
    secure: isSecureContext,
    webgpu: 'gpu' in navigator,
    cores: navigator.hardwareConcurrency,
    window: `${innerWidth}x${innerHeight} at ${devicePixelRatio}`,
    gpu:
      state.is === 'ready'
        ? {
            adapter: state.name,
            ...state.info,
            kind: state.facts.kind,
            software: state.facts.software,
            features: state.facts.features,
            limits: state.facts.limits,
            openedInMs: Math.round(state.milliseconds),
          }
        : state,
    ...Object.fromEntries(tellers.map(([name, of]) => [name, of()])),
  };
}
