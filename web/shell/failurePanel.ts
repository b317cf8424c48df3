import type { Failure } from '../rpc/failure.js';
import { adviceOn } from './advice.js';
import { make } from './dom.js';

/** A place in the page where one failure at a time is told. */
export class FailurePanel {
  constructor(private readonly place: HTMLElement) {}

  /** Tells a failure, with a button where trying again may help. */
  show(failure: Failure, retry: () => void): void {
    const { title, steps, retry: label } = adviceOn(failure);
    const panel = make(
      'div',
      { className: 'failure', role: 'alert' },
      make('h3', {}, title),
      make('p', {}, failure.message),
      ...(steps.length > 0 ? [make('ul', {}, ...steps.map((step) => make('li', {}, step)))] : []),
    );
    panel.dataset.code = failure.code;
    const buttons = make('div', { className: 'row' });
    if (label !== undefined) {
      const button = make('button', { type: 'button', className: 'main' }, label);
      button.addEventListener('click', () => {
        this.clear();
        retry();
      });
      buttons.append(button);
    } else {
      const button = make('button', { type: 'button' }, 'Close');
      button.addEventListener('click', () => this.clear());
      buttons.append(button);
    }
    panel.append(buttons);
    this.place.replaceChildren(panel);
  }

  clear(): void {
    this.place.replaceChildren();
  }

  get shown(): boolean {
    return this.place.childElementCount > 0;
  }
}
