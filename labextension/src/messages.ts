/**
 * What the page and the kernel say to each other, and what of it is believed.
 *
 * The kernel's side is `claude_magic/notebook/front_end.py`; both check what comes in.
 */

import type { PartialJSONObject } from '@lumino/coreutils';

/**
 * The name of the comm, and its id.
 *
 * A kernel has one such comm. As its id is known before the kernel has opened it, "Run All" can
 * tell the page right behind the cell that loads the extension, ahead of the cells below.
 */
export const COMM = 'claude_magic:page';

/** Where the notebook is and what cells it has, sent before what is run next. */
export interface IPageMessage extends PartialJSONObject {
  type: 'page';
  /** Relative to `root`; null if the file is not in the server's own file system. */
  path: string | null;
  /** The folder that the server serves; may begin with `~`. */
  root: string;
  /** From the notebook's metadata. */
  conversation: string | null;
  /** The ids of all cells from top to bottom. */
  cells: string[];
  /** Whether this page knows nothing of the kernel yet: the kernel then says what it ran. */
  fresh: boolean;
}

/** A code cell that the kernel did not run, with what it shows. */
export interface ISeenCell extends PartialJSONObject {
  id: string;
  source: string;
  /** As in the file, but for what is not sent. None: the kernel is to forget what was sent. */
  outputs: PartialJSONObject[];
}

/** Cells above a question that the kernel did not run. */
export interface ISeenMessage extends PartialJSONObject {
  type: 'seen';
  cells: ISeenCell[];
  /** How many cells were left out because they are too large. */
  left_out: number;
}

/** What the kernel says. */
export type KernelSays =
  | { type: 'conversation'; id: string }
  | { type: 'ran'; cells: string[] }
  | IInsertMessage
  | IEditMessage
  | IAltMessage;

/** Alt text for the image of a cell's output that has this length and sum. */
export interface IAltMessage {
  type: 'alt';
  cell: string;
  kind: string;
  length: number;
  sum: number;
  alt: string;
}

/** A new cell, which the user has allowed: `cell` is its id, `below` the cell above it or ''. */
export interface IInsertMessage {
  type: 'insert';
  cell: string;
  below: string;
  kind: 'code' | 'markdown';
  source: string;
}

/** Another text for a cell, which the user has allowed; `was` is what it is to replace. */
export interface IEditMessage {
  type: 'edit';
  cell: string;
  was: string;
  source: string;
}

const MOST_CELLS = 20_000;
const LONGEST_CELL_ID = 256;
const LONGEST_SOURCE = 1_000_000;
const IMAGE = /^image\/[a-z+]{1,20}$/;
const CONVERSATION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** `value` if it can be the id of a conversation, else null. */
export function conversationId(value: unknown): string | null {
  return typeof value === 'string' && CONVERSATION.test(value) ? value : null;
}

/** What a message from the kernel says, null for anything else than we know. */
export function kernelSays(data: unknown): KernelSays | null {
  if (!isObject(data)) {
    return null;
  }
  if (data.type === 'conversation') {
    const id = conversationId(data.id);
    return id === null ? null : { type: 'conversation', id };
  }
  if (data.type === 'insert' || data.type === 'edit') {
    return isWritten(data) ? data : null;
  }
  if (data.type === 'alt') {
    return isAlt(data) ? data : null;
  }
  const cells = data.cells;
  if (data.type === 'ran' && Array.isArray(cells) && cells.length <= MOST_CELLS) {
    return cells.every(isCellId) ? { type: 'ran', cells } : null;
  }
  return null;
}

function isWritten(data: Record<string, unknown>): data is Record<string, unknown> &
  (IInsertMessage | IEditMessage) {
  const { cell, source, below, kind, was } = data;
  if (!isCellId(cell) || !isSource(source)) {
    return false;
  }
  return data.type === 'insert'
    ? isCellId(below) && (kind === 'code' || kind === 'markdown')
    : isSource(was);
}

function isAlt(data: Record<string, unknown>): data is Record<string, unknown> & IAltMessage {
  const { cell, kind, length, sum, alt } = data;
  const isImage = typeof kind === 'string' && IMAGE.test(kind);
  return isCellId(cell) && isImage && [length, sum].every(Number.isInteger) && isSource(alt);
}

/** Whether `value` is an object with keys, and no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCellId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_CELL_ID;
}

function isSource(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_SOURCE;
}
