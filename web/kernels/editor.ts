import { need } from '../shell/dom.js';

/** A text area with line numbers: Tab indents, Ctrl+Enter runs; Escape, then Tab, leaves it. */
export class Editor {
  private readonly area = need('kernel-source', HTMLTextAreaElement);
  private readonly lines = need('kernel-lines', HTMLElement);

  constructor(run: () => void, onChange: () => void) {
    let leaves = false;
    this.area.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        run();
      } else if (event.key === 'Tab' && !event.shiftKey && !leaves) {
        event.preventDefault();
        const { selectionStart, selectionEnd } = this.area;
        this.area.setRangeText('  ', selectionStart, selectionEnd, 'end');
        this.number();
        onChange();
      }
      leaves = event.key === 'Escape';
    });
    this.area.addEventListener('input', () => {
      this.number();
      onChange();
    });
    this.area.addEventListener('scroll', () => {
      this.lines.scrollTop = this.area.scrollTop;
    });
  }

  get text(): string {
    return this.area.value;
  }

  set text(text: string) {
    this.area.value = text;
    this.area.scrollTop = 0;
    this.number();
  }

  /** Puts the cursor at a line and column, from 1, and shows them. */
  goTo(line: number, column: number): void {
    const before = this.text.split('\n').slice(0, line - 1);
    const at = before.reduce((sum, { length }) => sum + length + 1, 0) + column - 1;
    this.area.focus();
    this.area.setSelectionRange(at, at);
    const { lineHeight } = getComputedStyle(this.area);
    this.area.scrollTop = Math.max(0, (line - 6) * Number.parseFloat(lineHeight));
  }

  private number(): void {
    const count = this.text.split('\n').length;
    // One line more than there is, so that the numbers scroll as far as the text with its scroll bar.
    this.lines.textContent = `${Array.from({ length: count }, (_, i) => i + 1).join('\n')}\n\n`;
    this.lines.scrollTop = this.area.scrollTop;
  }
}
