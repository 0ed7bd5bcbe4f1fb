import { NotebookActions } from '@jupyterlab/notebook';
import type { NotebookPanel } from '@jupyterlab/notebook';

import type { IHost } from '../panel/host';

/** What a panel can have done to a notebook in JupyterLab. */
export class NotebookHost implements IHost {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly tell: () => void,
    private readonly showDocked: () => void
  ) {}

  dock(): void {
    this.showDocked();
  }

  insertBelow(code: string): void {
    const { content } = this.panel;
    NotebookActions.insertBelow(content);
    NotebookActions.changeCellType(content, 'code');
    content.activeCell?.model.sharedModel.setSource(code);
    this.show(content.activeCellIndex);
  }

  replaceCell(code: string): void {
    const { activeCell, activeCellIndex } = this.panel.content;
    // As one change, which the cell's own undo takes back.
    activeCell?.model.sharedModel.setSource(code);
    this.show(activeCellIndex);
  }

  run(code: string): void {
    this.insertBelow(code);
    this.runActive();
  }

  reveal(cell: string): void {
    const { content } = this.panel;
    const index = content.widgets.findIndex(({ model }) => model.id === cell);
    if (index >= 0) {
      content.deselectAll();
      content.activeCellIndex = index;
      content.mode = 'command';
      this.show(index);
      content.widgets[index]?.node.focus();
    }
  }

  runCell(cell: string): void {
    this.reveal(cell);
    this.runActive();
  }

  activeCell(): string {
    return this.panel.content.activeCell?.model.id ?? '';
  }

  onMove(moved: () => void): () => void {
    const { activeCellChanged } = this.panel.content;
    const listener = (): void => moved();
    activeCellChanged.connect(listener);
    return () => activeCellChanged.disconnect(listener);
  }

  beforeAsk(): void {
    this.tell();
  }

  private runActive(): void {
    const { content, sessionContext } = this.panel;
    content.deselectAll();
    void NotebookActions.run(content, sessionContext);
  }

  private show(index: number): void {
    void this.panel.content.scrollToItem(index, 'smart');
  }
}
