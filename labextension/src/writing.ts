/** What tools write into the notebook, once the user has allowed it. Undone as what is typed is. */

import type { INotebookModel } from '@jupyterlab/notebook';

import type { IEditMessage, IInsertMessage } from './messages';

/** Put a new cell below another one; at the end, where that one is not there. */
export function insert(model: INotebookModel, message: IInsertMessage): void {
  const above = indexOf(model, message.below);
  const index = above < 0 ? model.cells.length : above + 1;
  put(model, index, message.kind, message.source, message.cell);
}

/** Change a cell's text; where the user has changed it meanwhile, in a new cell below it. */
export function edit(model: INotebookModel, message: IEditMessage): void {
  const index = indexOf(model, message.cell);
  const cell = index < 0 ? null : model.cells.get(index);
  if (cell && cell.sharedModel.getSource() === message.was) {
    cell.sharedModel.setSource(message.source);
  } else {
    const kind = cell?.type === 'markdown' ? 'markdown' : 'code';
    put(model, index < 0 ? model.cells.length : index + 1, kind, message.source);
  }
}

function put(
  model: INotebookModel,
  index: number,
  kind: 'code' | 'markdown',
  source: string,
  id?: string
): void {
  model.sharedModel.insertCell(index, {
    cell_type: kind,
    source,
    metadata: kind === 'code' ? { trusted: true } : {},
    ...(id ? { id } : {})
  });
}

function indexOf(model: INotebookModel, id: string): number {
  return Array.from(model.cells).findIndex(cell => cell.id === id);
}
