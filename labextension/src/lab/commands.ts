import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { CodeCell } from '@jupyterlab/cells';
import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IOutputModel } from '@jupyterlab/rendermime';
import { Menu } from '@lumino/widgets';

import type { IItem } from '../panel/conversation';
import type { IAbout } from '../panel/protocol';
import type { Panel } from '../panel/panel';
import { isDescribable } from '../alt';
import { writeAltText } from './altText';
import { CellEdit } from './edit';
import { cellIcon, chatIcon } from './icons';
import type { ICaption } from './kernelPanel';
import { bundleOf, errorOf, outputAt } from './outputs';

/** The ids of the commands. */
export const COMMANDS = {
  open: 'claude-magic:open-chat',
  explain: 'claude-magic:explain-cell',
  edit: 'claude-magic:edit-cell',
  fix: 'claude-magic:fix-cell',
  output: 'claude-magic:ask-about-output',
  alt: 'claude-magic:write-alt-text',
  cell: 'claude-magic:cell-menu'
} as const;

/** What the commands need of the application. */
export interface IChat {
  /** Brings the panel of a notebook up; null where that fails, which is said there. */
  open(notebook: NotebookPanel): Promise<Panel | null>;
  /** A caption for an output. Rejects with an error in words for the user. */
  caption(
    notebook: NotebookPanel,
    asked: { cell: string; source: string; bundle: object }
  ): Promise<ICaption>;
}

/** Every command, all of them about the notebook and the cell that the user is at. */
export class Commands {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly tracker: INotebookTracker,
    private readonly chat: IChat
  ) {
    const { commands } = app;
    const isEnabled = (): boolean => this.notebook !== null;
    const isCode = (): boolean => this.codeCell !== null;
    const hasError = (): boolean => this.codeCell !== null && errorOf(this.codeCell) !== '';
    commands.addCommand(COMMANDS.open, {
      label: 'Ask Claude',
      caption: 'Open the chat panel of this notebook',
      icon: chatIcon,
      isEnabled,
      execute: () => this.open()
    });
    commands.addCommand(COMMANDS.explain, {
      label: 'Explain Cell with Claude',
      isEnabled: isCode,
      execute: () => this.about('explain')
    });
    commands.addCommand(COMMANDS.fix, {
      label: 'Fix Error with Claude',
      isEnabled: hasError,
      execute: () => this.about('fix')
    });
    commands.addCommand(COMMANDS.edit, {
      label: 'Edit Cell with Claude',
      isEnabled: isCode,
      execute: () => this.edit()
    });
    commands.addCommand(COMMANDS.output, {
      label: 'Ask Claude about This Output',
      isEnabled,
      execute: () => this.output()
    });
    commands.addCommand(COMMANDS.alt, {
      label: 'Write Alt Text with Claude',
      caption: 'Describe this image in the metadata of the output, for exports and screen readers',
      isEnabled,
      execute: () => this.altText()
    });
    commands.addCommand(COMMANDS.cell, {
      label: '',
      caption: 'Explain, edit or fix this cell with Claude',
      icon: cellIcon,
      isEnabled: isCode,
      execute: () => this.cellMenu()
    });
  }

  /** Explains or fixes the error in whose output an element stands. */
  async aboutError(task: 'explain' | 'fix', node: HTMLElement): Promise<void> {
    const cell = this.cellOf(node);
    if (cell) {
      await this.about(task, cell, true);
    }
  }

  private async open(): Promise<void> {
    const { notebook } = this;
    const panel = notebook && (await this.chat.open(notebook));
    panel?.focus();
  }

  private async about(
    task: 'explain' | 'fix',
    cell = this.codeCell,
    withError = task === 'fix'
  ): Promise<void> {
    if (!cell) {
      return;
    }
    const asked = this.ask(cell, '', {
      ...this.of(cell),
      task,
      error: withError ? errorOf(cell) : ''
    });
    if (task === 'fix') {
      await new CellEdit(cell, words => this.askForChange(cell, words)).offer(asked);
    }
    await asked;
  }

  private edit(): void {
    const cell = this.codeCell;
    if (cell) {
      new CellEdit(cell, words => this.askForChange(cell, words)).begin();
    }
  }

  private askForChange(cell: CodeCell, words: string): Promise<IItem | null> {
    return this.ask(cell, words, { ...this.of(cell), task: 'edit', error: '' });
  }

  private async ask(cell: CodeCell, words: string, about: IAbout): Promise<IItem | null> {
    const notebook = this.tracker.find(({ content }) => content.widgets.includes(cell));
    const panel = notebook && (await this.chat.open(notebook));
    return panel ? panel.ask(words, about) : null;
  }

  private of(cell: CodeCell): { cell: string; source: string } {
    return { cell: cell.model.id, source: cell.model.sharedModel.getSource() };
  }

  private async output(): Promise<void> {
    const { cell, output } = this.pointedAt(() => true);
    const { notebook } = this;
    if (!notebook || !cell) {
      return;
    }
    const bundle = output && bundleOf(output);
    const panel = await this.chat.open(notebook);
    if (panel && bundle) {
      const count = cell.model.executionCount;
      panel.attach(count === null ? 'output' : `output of [${count}]`, bundle);
    }
  }

  private async altText(): Promise<void> {
    const { cell, output } = this.pointedAt(isDescribable);
    const notebook = this.tracker.find(({ content }) => !!cell && content.widgets.includes(cell));
    const bundle = output && bundleOf(output);
    if (!notebook || !cell || !output || !bundle) {
      Notification.warning('There is no image here that alt text can be written for.');
      return;
    }
    const asked = this.chat.caption(notebook, { ...this.of(cell), bundle });
    await writeAltText(cell.outputArea.model, output, asked);
  }

  /** The output that was pointed at, else the last one of its cell, or of the active one. */
  private pointedAt(fits: (output: IOutputModel) => boolean): {
    cell: CodeCell | null;
    output: IOutputModel | null;
  } {
    const node = this.app.contextMenuHitTest(element => element.closest('.jp-OutputArea') !== null);
    const cell = node ? this.cellOf(node) : this.codeCell;
    const pointed = node && cell && outputAt(cell, node);
    if (!cell || pointed) {
      return { cell, output: pointed && fits(pointed) ? pointed : null };
    }
    const { model } = cell.outputArea;
    const all = Array.from({ length: model.length }, (_, at) => model.get(at));
    return { cell, output: all.reverse().find(fits) ?? null };
  }

  /** A menu at the cell's toolbar. */
  private cellMenu(): void {
    const cell = this.codeCell;
    const button = cell?.node.querySelector('[data-command="claude-magic:cell-menu"]');
    const { left, bottom } = (button ?? cell?.node ?? document.body).getBoundingClientRect();
    const menu = new Menu({ commands: this.app.commands });
    [COMMANDS.explain, COMMANDS.edit, COMMANDS.fix].forEach(command => menu.addItem({ command }));
    menu.aboutToClose.connect(() => setTimeout(() => menu.dispose()));
    menu.open(left, bottom);
  }

  private get notebook(): NotebookPanel | null {
    return this.tracker.currentWidget;
  }

  private get codeCell(): CodeCell | null {
    const cell = this.tracker.activeCell;
    return cell instanceof CodeCell ? cell : null;
  }

  private cellOf(node: HTMLElement): CodeCell | null {
    const all: Cell[] = [];
    this.tracker.forEach(({ content }) => all.push(...content.widgets));
    const found = all.find(cell => cell.node.contains(node));
    return found instanceof CodeCell ? found : null;
  }
}
