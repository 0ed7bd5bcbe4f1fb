import type { Cell } from '@jupyterlab/cells';
import type { PanelLayout } from '@lumino/widgets';
import { Widget } from '@lumino/widgets';

import type { IItem } from '../panel/conversation';
import { element, textButton } from '../panel/elements/dom';
import { lastCode } from '../panel/markdown/lastCode';
import { diff } from './diff';

/** Asks for a change of a cell's text; null where it could not be asked. */
export type AskForChange = (words: string) => Promise<IItem | null>;

/** Below a cell's text: what to change, then the change itself, to be accepted or not. */
export class CellEdit extends Widget {
  constructor(
    private readonly cell: Cell,
    private readonly ask: AskForChange
  ) {
    super();
    this.addClass('claude-magic-edit');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', 'Edit this cell with Claude');
    this.node.addEventListener('keydown', event => {
      if (event.key === 'Escape') {
        this.dispose();
      }
      event.stopPropagation(); // no letter here is a shortcut of the notebook's
    });
    this.input = element('input', {
      'type': 'text',
      'placeholder': 'What should change in this cell?',
      'aria-label': 'What should change in this cell?',
      'keydown': event => {
        if ((event as KeyboardEvent).key === 'Enter') {
          event.preventDefault(); // the panel gets the focus, and would get the new line as well
          void this.send();
        }
      }
    });
    this.status = element('span', { class: 'claude-magic-edit-status', role: 'status' });
  }

  /** Have the user say what is to change. */
  begin(): void {
    const layout = this.cell.layout as PanelLayout;
    const input = layout.widgets.findIndex(({ node }) => node.matches('.jp-Cell-inputWrapper'));
    layout.insertWidget(input + 1, this);
    this.put(
      this.input,
      textButton('Ask', () => void this.send(), 'primary'),
      textButton('Cancel', () => this.dispose())
    );
    this.input.focus();
  }

  /** Show a change that was asked for already. */
  async offer(asked: Promise<IItem | null>): Promise<void> {
    const layout = this.cell.layout as PanelLayout;
    const input = layout.widgets.findIndex(({ node }) => node.matches('.jp-Cell-inputWrapper'));
    layout.insertWidget(input + 1, this);
    await this.wait(asked);
  }

  private async send(): Promise<void> {
    const words = this.input.value.trim();
    if (words !== '') {
      await this.wait(this.ask(words));
    }
  }

  private async wait(asked: Promise<IItem | null>): Promise<void> {
    this.status.textContent = 'Claude is writing: see the panel';
    this.put(
      this.status,
      textButton('Cancel', () => this.dispose())
    );
    const item = await asked;
    if (this.isDisposed) {
      return;
    }
    const texts = item?.parts.filter(({ kind }) => kind === 'text').map(({ text }) => text);
    const code = item?.status === 'complete' ? lastCode(texts?.join('\n\n') ?? '') : null;
    if (code === null) {
      this.status.textContent = item?.error || 'No changed cell came: see the panel.';
      this.put(
        this.status,
        textButton('Close', () => this.dispose())
      );
    } else {
      this.compare(code);
    }
  }

  private compare(code: string): void {
    const before = this.cell.model.sharedModel.getSource();
    if (code === before) {
      this.status.textContent = 'Nothing would change.';
      this.put(
        this.status,
        textButton('Close', () => this.dispose())
      );
      return;
    }
    const marks = { same: ' ', gone: '-', new: '+' };
    const lines = diff(before, code).map(({ kind, text }) =>
      element('div', { class: `claude-magic-line-${kind}` }, `${marks[kind]} ${text}`)
    );
    const box = element('div', { class: 'claude-magic-diff', tabindex: '0', role: 'region' });
    box.setAttribute('aria-label', 'The change: lines with - go, lines with + come');
    box.append(...lines);
    const accept = textButton('Accept', () => this.accept(before, code), 'primary');
    this.put(
      box,
      accept,
      textButton('Discard', () => this.dispose())
    );
    accept.focus();
  }

  private accept(before: string, code: string): void {
    const { sharedModel } = this.cell.model;
    sharedModel.setSource(code);
    this.status.textContent = 'The cell was changed.';
    const undo = textButton('Undo', () => {
      // What was written since then is not to be lost.
      if (sharedModel.getSource() === code) {
        sharedModel.setSource(before);
        this.dispose();
      } else {
        this.status.textContent = 'It was changed again since then: undo it in the cell.';
      }
    });
    this.put(
      this.status,
      undo,
      textButton('Close', () => this.dispose())
    );
    undo.focus();
  }

  private put(...children: HTMLElement[]): void {
    this.node.replaceChildren(...children);
  }

  private readonly input: HTMLInputElement;
  private readonly status: HTMLElement;
}
