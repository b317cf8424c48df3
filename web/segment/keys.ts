/** What keys do in the Segment tab; their list is in the page. */
export interface KeyActions {
  readonly step: (by: number) => void;
  readonly end: (last: boolean) => void;
  readonly prediction: () => void;
  readonly truth: () => void;
  readonly fill: () => void;
  readonly probability: () => void;
  readonly threshold: (by: number) => void;
  readonly opacity: (by: number) => void;
}

/** Listens while `active` says so. Keys that the focused control uses itself are left to it. */
export function listenToKeys(active: () => boolean, actions: KeyActions): void {
  const table: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => actions.step(-1),
    ArrowRight: () => actions.step(1),
    Home: () => actions.end(false),
    End: () => actions.end(true),
    o: actions.prediction,
    t: actions.truth,
    f: actions.fill,
    p: actions.probability,
    ',': () => actions.threshold(-0.05),
    '.': () => actions.threshold(0.05),
    '[': () => actions.opacity(-10),
    ']': () => actions.opacity(10),
  };
  document.addEventListener('keydown', (event) => {
    if (!active() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = table[key];
    if (!act || usesItself(event.target, key)) return;
    event.preventDefault();
    act();
  });
}

function usesItself(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const moves = key.length > 1;
  if (target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLInputElement) return moves ? target.type !== 'checkbox' : target.type === 'text';
  if (!moves) return false;
  // The tabs use arrows, Home and End; within the dialog nothing is listened to.
  return target.getAttribute('role') === 'tab';
}
