/** What tools write into the notebook, once the user has allowed it. Undone as what is typed is. */

import { isCodeCellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';

import { adler32, bare, describe } from './alt';
import type { IAltMessage, IEditMessage, IInsertMessage } from './messages';

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

/** Have the outputs of a cell that show an image hold its alt text; whether there is one. */
export function writeAlt(model: INotebookModel, message: IAltMessage): boolean {
  const cell = Array.from(model.cells).find(held => held.id === message.cell);
  if (!cell || !isCodeCellModel(cell)) {
    return false;
  }
  const { outputs } = cell;
  const all = Array.from({ length: outputs.length }, (_, at) => outputs.get(at));
  const found = all.filter(output => {
    const image = bare(output.data[message.kind]);
    return image.length === message.length && adler32(image) === message.sum;
  });
  found.forEach(output => describe(output, message.alt));
  return found.length > 0;
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
