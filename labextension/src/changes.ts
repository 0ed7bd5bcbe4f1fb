/**
 * The cells of a page as they stand, each told when it has changed: nothing is looked at, let
 * alone compared, of those that did not.
 */

import type { ICellModel, ICodeCellModel } from '@jupyterlab/cells';
import type { CellList } from '@jupyterlab/notebook';

import type { ICellsMessage, IChangedCell } from './messages';

/** In characters. */
const LONGEST_SOURCE = 1_000_000;
/** In bytes of JSON; Jupyter's server closes the connection on a message of more than 10 MiB. */
const LONGEST_MESSAGE = 8_000_000;
/** In bytes of JSON: what a character can take at most, and a cell without its text. */
const CHARACTER = 6;
const CELL = 80_000;
/** What the kernel takes of a cell's tags: how many, and in characters. */
const MOST_TAGS = 100;
const LONGEST_TAG = 100;

/** What the kernel is still to be told of the cells of one page. */
export class Changes {
  constructor(private readonly cells: CellList) {
    for (const cell of cells) {
      this.watch(cell);
    }
    cells.changed.connect(this.listChanged, this);
  }

  /** Whether cells came, went or changed places since this was set to false. */
  isMoved = true;

  /** The messages that tell what changed since they were last asked for, often none. */
  news(): ICellsMessage[] {
    const messages: ICellsMessage[] = [];
    let room = 0;
    for (const [cell, withSource] of this.changed) {
      if (!cell.isDisposed) {
        const told = changedCell(cell, withSource);
        const size = (told.source?.length ?? 0) * CHARACTER + CELL;
        if (size > room) {
          messages.push({ type: 'cells', cells: [] });
          room = LONGEST_MESSAGE;
        }
        room -= size;
        messages[messages.length - 1]!.cells.push(told);
      }
    }
    this.changed.clear();
    return messages;
  }

  /** The kernel knows nothing of this page. */
  forget(): void {
    this.isMoved = true;
    for (const cell of this.cells) {
      this.changed.set(cell, true);
    }
  }

  /** A number that is another one whenever the cell has changed. */
  version(cell: ICellModel): number {
    return this.versions.get(cell) ?? 0;
  }

  private listChanged(_: CellList, { newValues }: { newValues: readonly ICellModel[] }): void {
    this.isMoved = true;
    // A cell that is moved, or comes back, has a new model. Those that went are disposed.
    newValues.forEach(cell => this.watch(cell));
    for (const cell of this.changed.keys()) {
      if (cell.isDisposed) {
        this.changed.delete(cell);
      }
    }
  }

  private watch(cell: ICellModel): void {
    this.changed.set(cell, true);
    // `contentChanged` tells of outputs, too.
    cell.contentChanged.connect(this.cellChanged, this);
    cell.stateChanged.connect(this.cellChanged, this);
    cell.metadataChanged.connect(this.cellChanged, this);
    cell.sharedModel.changed.connect((_, { sourceChange }) => {
      if (sourceChange) {
        this.changed.set(cell, true);
      }
    });
  }

  private cellChanged(cell: ICellModel): void {
    this.versions.set(cell, this.version(cell) + 1);
    if (!this.changed.has(cell)) {
      this.changed.set(cell, false);
    }
  }

  /** What is to be told, and whether its text is. */
  private readonly changed = new Map<ICellModel, boolean>();
  private readonly versions = new WeakMap<ICellModel, number>();
}

export function isCode(cell: ICellModel): cell is ICodeCellModel {
  return cell.type === 'code';
}

function changedCell(cell: ICellModel, withSource: boolean): IChangedCell {
  // Of a cell that runs or waits, the kernel reads this when it has run.
  const isRunning = isCode(cell) && cell.executionState === 'running';
  return {
    id: cell.id,
    kind: isCode(cell) ? 'code' : cell.type === 'markdown' ? 'markdown' : 'raw',
    ...(withSource ? text(cell.sharedModel.getSource()) : {}),
    count: isCode(cell) && !isRunning ? cell.executionCount : null,
    outputs: isRunning ? null : isCode(cell) ? cell.outputs.length : 0,
    tags: tags(cell.getMetadata('tags'))
  };
}

function text(source: string): { source: string; missing?: number } {
  if (source.length <= LONGEST_SOURCE) {
    return { source };
  }
  // Not through the middle of a character of two units.
  const isHalf = /[\uD800-\uDBFF]/.test(source[LONGEST_SOURCE - 1]!);
  const told = LONGEST_SOURCE - (isHalf ? 1 : 0);
  return { source: source.slice(0, told), missing: source.length - told };
}

function tags(value: unknown): string[] {
  const all: unknown[] = Array.isArray(value) ? value : [];
  return all
    .filter(tag => typeof tag === 'string')
    .filter(tag => tag.length <= LONGEST_TAG)
    .slice(0, MOST_TAGS);
}
