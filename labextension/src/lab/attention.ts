import { NotebookActions } from '@jupyterlab/notebook';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { Emitter } from '../panel/emitter';

/**
 * In which notebooks the user has been at a cell, and when they come there first. A page that was
 * just loaded is at its first cell by itself: a question of the panel would stand there, above all
 * that was asked before.
 */
export class Attention extends Emitter<{ came: NotebookPanel }> {
  constructor() {
    super();
    NotebookActions.executionScheduled.connect((_, { notebook }) => {
      const panel = this.watched.find(({ content }) => content === notebook);
      if (panel) {
        this.comes(panel);
      }
    });
  }

  /** Learn when the user is at a cell of this notebook. */
  watch(notebook: NotebookPanel): void {
    const { content } = notebook;
    const comes = (): void => this.comes(notebook);
    content.activeCellChanged.connect(() => content.activeCellIndex > 0 && comes());
    content.node.addEventListener('pointerdown', comes);
    content.node.addEventListener('keydown', comes);
    this.watched.push(notebook);
    notebook.disposed.connect(() => this.watched.splice(this.watched.indexOf(notebook), 1));
  }

  /** Whether the user has been at a cell of it. */
  has(notebook: NotebookPanel): boolean {
    return this.held.has(notebook);
  }

  private comes(notebook: NotebookPanel): void {
    if (!this.held.has(notebook)) {
      this.held.add(notebook);
      this.emit('came', notebook);
    }
  }

  private readonly held = new WeakSet<NotebookPanel>();
  private readonly watched: NotebookPanel[] = [];
}
