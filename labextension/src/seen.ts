/**
 * What cells show that the kernel did not run: the outputs that came with the notebook's file.
 */

import type { ICodeCellModel } from '@jupyterlab/cells';
import type { IOutput } from '@jupyterlab/nbformat';
import type { IOutputModel } from '@jupyterlab/rendermime';
import type { PartialJSONObject, PartialJSONValue } from '@lumino/coreutils';

import { isObject } from './messages';
import type { IToldCell, ISeenMessage } from './messages';

/** In bytes of JSON, of all that the kernel is to have of this kind. */
const TOTAL = 20_000_000;
/** In bytes of JSON; Jupyter's server closes the connection on a message of more than 10 MiB. */
const LONGEST_MESSAGE = 8_000_000;
/** The key in an output's metadata that says it is a reply of ours, nothing to look at. */
const OURS = 'claude_magic';

const SENT_TYPES = [
  /^text\/(?:plain|markdown|latex)$/,
  /^image\/(?:png|jpeg|svg\+xml)$/,
  /^application\/(?:.+[+.])?json$/ // Plotly, Vega and Vega-Lite among them
];
/** The id of a model that is in no file. */
const WIDGET = 'application/vnd.jupyter.widget-view+json';

/** What a cell showed when it was last looked at. */
interface IStateMessage {
  source: string;
  /** The models themselves: JupyterLab makes new ones when a cell's outputs change. */
  outputs: IOutputModel[];
  /** In bytes; 0 if there is nothing to send. */
  size: number;
  sent: boolean;
}

/** What was sent to one kernel of the cells that it did not run. */
export class Seen {
  /**
   * The messages that tell the kernel what it does not know yet, often none.
   *
   * `cells` come from the question upwards: what is nearest to it goes first where it is too much.
   */
  news(cells: Iterable<ICodeCellModel>): ISeenMessage[] {
    const found: IToldCell[] = [];
    let room = TOTAL;
    let leftOut = 0;
    for (const cell of cells) {
      const before = this.states.get(cell.id);
      const seen = before && isSame(before, cell) ? null : readCell(cell);
      const state = seen ? newState(cell, seen) : before!;
      this.states.set(cell.id, state);
      const fits = state.size <= Math.min(room, LONGEST_MESSAGE);
      if (fits) {
        room -= state.size;
      }
      leftOut += fits || state.sent ? 0 : 1;
      if (fits && !state.sent && state.size > 0) {
        found.push(seen ?? readCell(cell));
        state.sent = true;
      } else if (before?.sent && !state.sent) {
        found.push({ id: cell.id, source: '', outputs: [] });
      }
    }
    const changed = found.length > 0 || leftOut !== this.leftOut;
    this.leftOut = leftOut;
    return changed ? this.messages(found) : [];
  }

  /** Forget cells that are not on the page any more; the kernel does the same. */
  keep(ids: Iterable<string>): void {
    const kept = new Set(ids);
    for (const id of this.states.keys()) {
      if (!kept.has(id)) {
        this.states.delete(id);
      }
    }
  }

  private messages(cells: IToldCell[]): ISeenMessage[] {
    const messages: ISeenMessage[] = [{ type: 'seen', cells: [], left_out: this.leftOut }];
    let room = LONGEST_MESSAGE;
    for (const cell of cells) {
      const size = this.states.get(cell.id)?.size ?? 0;
      if (size > room) {
        messages.push({ type: 'seen', cells: [], left_out: this.leftOut });
        room = LONGEST_MESSAGE;
      }
      room -= size;
      messages[messages.length - 1]!.cells.push(cell);
    }
    return messages;
  }

  private readonly states = new Map<string, IStateMessage>();
  private leftOut = 0;
}

function newState(cell: ICodeCellModel, seen: IToldCell): IStateMessage {
  const size = seen.outputs.length > 0 ? new Blob([JSON.stringify(seen)]).size : 0;
  return { source: seen.source, outputs: outputsOf(cell), size, sent: false };
}

function isSame(state: IStateMessage, cell: ICodeCellModel): boolean {
  const { length } = state.outputs;
  return (
    state.source === cell.sharedModel.getSource() &&
    cell.outputs.length === length &&
    state.outputs.every((output, index) => output === cell.outputs.get(index))
  );
}

function outputsOf(cell: ICodeCellModel): IOutputModel[] {
  return Array.from({ length: cell.outputs.length }, (_, index) => cell.outputs.get(index));
}

function readCell(cell: ICodeCellModel): IToldCell {
  const outputs = outputsOf(cell)
    .map(output => readOutput(output.toJSON()))
    .filter(output => output !== null);
  return { id: cell.id, source: cell.sharedModel.getSource(), outputs };
}

/** What is sent of an output, null if nothing. */
function readOutput(output: IOutput): PartialJSONObject | null {
  const { output_type, metadata } = output;
  if (isObject(metadata) && OURS in metadata) {
    return null;
  }
  if (output_type === 'stream') {
    return { output_type, name: output.name, text: output.text };
  }
  if (output_type === 'error') {
    const { ename, evalue, traceback } = output;
    return { output_type, ename, evalue, traceback };
  }
  const data = sentTypes(output.data);
  return Object.keys(data).length === 0
    ? null
    : { output_type, data, metadata: sentTypes(metadata) };
}

/** The entries whose keys are media types that are sent. */
function sentTypes(bundle: unknown): PartialJSONObject {
  const entries = Object.entries(isObject(bundle) ? bundle : {});
  const sent = entries.filter(([type]) => isSent(type));
  return Object.fromEntries(sent as [string, PartialJSONValue][]);
}

function isSent(type: string): boolean {
  return type !== WIDGET && SENT_TYPES.some(sent => sent.test(type));
}
