import { PathExt } from '@jupyterlab/coreutils';
import { NotebookActions } from '@jupyterlab/notebook';
import type { NotebookPanel } from '@jupyterlab/notebook';

import type { IHost } from '../panel/host';
import type { Attention } from './attention';

/** What a panel can have done to a notebook in JupyterLab. */
export class NotebookHost implements IHost {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly attention: Attention,
    private readonly tell: (withShown: boolean) => string,
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
    const { content } = this.panel;
    return (this.attention.has(this.panel) && content.activeCell?.model.id) || '';
  }

  name(): string {
    return PathExt.basename(this.panel.context.localPath, '.ipynb');
  }

  onMove(moved: () => void): () => void {
    const { activeCellChanged } = this.panel.content;
    const { pathChanged } = this.panel.context;
    const listener = (): void => moved();
    activeCellChanged.connect(listener);
    pathChanged.connect(listener);
    const undo = this.attention.on('came', notebook => notebook === this.panel && moved());
    return () => {
      undo();
      activeCellChanged.disconnect(listener);
      pathChanged.disconnect(listener);
    };
  }

  beforeAsk(): string {
    return this.tell(true);
  }

  beforePreview(): string {
    return this.tell(false);
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
