/**
 * What cells show that the kernel did not run: the outputs that came with the notebook's file, and
 * the pictures that are attached to Markdown.
 */

import type { ICellModel, ICodeCellModel, IMarkdownCellModel } from '@jupyterlab/cells';
import type { IAttachments, IOutput } from '@jupyterlab/nbformat';
import type { IOutputModel } from '@jupyterlab/rendermime';
import type { PartialJSONObject, PartialJSONValue } from '@lumino/coreutils';

import { isCode } from './changes';
import { isObject } from './messages';
import type { IToldCell, ISeenMessage } from './messages';

/** In bytes of JSON, of all that the kernel is to have of this kind. */
const TOTAL = 20_000_000;
/** In bytes of JSON; Jupyter's server closes the connection on a message of more than 10 MiB. */
const LONGEST_MESSAGE = 8_000_000;
const HTML = 'text/html';
/** The key in an output's metadata that says it is a reply of ours, nothing to look at. */
const OURS = 'claude_magic';

const SENT_TYPES = [
  /^text\/(?:plain|markdown|latex)$/,
  /^image\//,
  /^application\/(?:.+[+.])?json$/ // Plotly, Vega and Vega-Lite among them
];
/** The id of a model that is in no file. */
const WIDGET = 'application/vnd.jupyter.widget-view+json';
/** A picture, and a chart of Altair's: what HTML shows that no text says. */
const DRAWN = /data:image\/|<svg\b|vegaEmbed/;
/** A text that only names what is displayed. */
const ONLY_AN_OBJECT = /^\s*<[^<>]*>\s*$/;
/** In characters: of HTML whose words are wanted. */
const LONGEST_HTML = 2_000_000;

/** What a cell showed when it was last looked at. */
interface IState {
  /** As it was then: see `Changes.version`. */
  version: number;
  /** The models themselves: JupyterLab makes new ones when outputs change. */
  parts: unknown[];
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
   * `version` gives a number that is another one whenever a cell has changed.
   */
  news(cells: Iterable<ICellModel>, version: (cell: ICellModel) => number): ISeenMessage[] {
    const found: IToldCell[] = [];
    let room = TOTAL;
    let leftOut = 0;
    for (const cell of cells) {
      const before = this.states.get(cell.id);
      const now = version(cell);
      const isSame = before && (before.version === now || sameParts(before, cell));
      const seen = isSame ? null : readCell(cell);
      const state = seen ? newState(cell, seen, now) : before!;
      state.version = now;
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

  private readonly states = new Map<string, IState>();
  private leftOut = 0;
}

function newState(cell: ICellModel, seen: IToldCell, version: number): IState {
  const size = seen.outputs.length > 0 ? new Blob([JSON.stringify(seen)]).size : 0;
  return { version, parts: partsOf(cell), size, sent: false };
}

function sameParts({ parts }: IState, cell: ICellModel): boolean {
  const now = partsOf(cell);
  return now.length === parts.length && parts.every((part, index) => part === now[index]);
}

function partsOf(cell: ICellModel): unknown[] {
  return isCode(cell)
    ? outputsOf(cell)
    : Object.entries(attachments(cell)).flatMap(([name, bundle]) => [
        name,
        ...Object.entries(bundle ?? {}).flat()
      ]);
}

function outputsOf(cell: ICodeCellModel): IOutputModel[] {
  return Array.from({ length: cell.outputs.length }, (_, index) => cell.outputs.get(index));
}

function attachments(cell: ICellModel): IAttachments {
  const isMarkdown = (each: ICellModel): each is IMarkdownCellModel => each.type === 'markdown';
  return isMarkdown(cell) ? (cell.attachments.toJSON() ?? {}) : {};
}

function readCell(cell: ICellModel): IToldCell {
  if (!isCode(cell)) {
    return { id: cell.id, source: '', outputs: readAttachments(attachments(cell)) };
  }
  const outputs = outputsOf(cell)
    .map(output => readOutput(output.toJSON()))
    .filter(output => output !== null);
  return { id: cell.id, source: cell.sharedModel.getSource(), outputs };
}

/** Attached pictures, as outputs that show them. */
function readAttachments(attached: IAttachments): PartialJSONObject[] {
  return Object.entries(attached).flatMap(([attachment, bundle]) => {
    const pictures = Object.entries(bundle ?? {}).filter(([type]) => type.startsWith('image/'));
    const data = Object.fromEntries(pictures) as PartialJSONObject;
    const shown = { output_type: 'display_data', data, metadata: { attachment } };
    return pictures.length > 0 ? [shown] : [];
  });
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
  const data = sentData(isObject(output.data) ? output.data : {});
  const entries = Object.entries(isObject(metadata) ? metadata : {});
  const about = entries.filter(([type]) => isSent(type)) as [string, PartialJSONValue][];
  return Object.keys(data).length === 0
    ? null
    : { output_type, data, metadata: Object.fromEntries(about) };
}

/** A mimebundle, with nothing of the types that cannot be sent but their names. */
function sentData(bundle: Record<string, unknown>): PartialJSONObject {
  const entries = Object.entries(bundle).map(([type, value]) => {
    const isTold = isSent(type) || (type === HTML && isNeeded(bundle));
    return [type, isTold ? (value as PartialJSONValue) : ''] as const;
  });
  return Object.fromEntries(entries.filter(([type, value]) => value !== '' || type !== HTML));
}

/** Whether HTML shows what no other form of the output does. */
function isNeeded(bundle: Record<string, unknown>): boolean {
  const [html, plain] = [bundle[HTML], bundle['text/plain'] ?? ''].map(joined) as [string, string];
  if (Object.keys(bundle).some(type => type.startsWith('image/'))) {
    return false;
  }
  const isTelling = plain.trim() !== '' && !ONLY_AN_OBJECT.test(plain);
  return DRAWN.test(html) || (!isTelling && html.length <= LONGEST_HTML);
}

/** The text of an entry; in a file it is a list of lines. */
function joined(value: unknown): string {
  return Array.isArray(value) ? value.join('') : String(value);
}

function isSent(type: string): boolean {
  return type !== WIDGET && SENT_TYPES.some(sent => sent.test(type));
}
