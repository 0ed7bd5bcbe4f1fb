// Made from claude_magic/notebook/page/page_messages.py by labextension/generate.py: change it there.

import {
  isWhole, text, oneOf, listOf, object, tagged
} from '../checks';

export const isCellId = text(256, /^(?:[\s\S]+)$/);

export const isConversationId = text(128, /^(?:[A-Za-z0-9][A-Za-z0-9._-]*)$/);

export const isSourceText = text(1_000_000);

/**
 * Where the notebook is and what cells it has, sent before what is run next.
 *
 * `path` is relative to `root`, null if the file is not in the server's own file system; `root` is
 * the folder that the server serves and may begin with `~`. `conversation` is from the notebook's
 * metadata. `cells` are the ids of all cells from top to bottom. With `fresh` this page knows
 * nothing of the kernel yet: the kernel then says what it ran.
 */
export interface IPageMessage {
  type: 'page';
  path: string | null;
  root: string;
  conversation: string | null;
  cells: string[];
  fresh: boolean;
}

/**
 * A code cell that the kernel did not run, with what it shows.
 *
 * `outputs` are as in the file, but for what is not sent; each is checked by itself. null: the
 * kernel is to forget what was sent.
 */
export interface IToldCell {
  id: string;
  source: string;
  outputs: unknown[];
}

/**
 * Cells above a question that the kernel did not run.
 *
 * `left_out` is how many cells were left out because they are too large.
 */
export interface ISeenMessage {
  type: 'seen';
  cells: IToldCell[];
  left_out: number;
}

export type PageSays =
  | IPageMessage
  | ISeenMessage;

/** The notebook's metadata are to hold this id. */
export interface IConversationMessage {
  type: 'conversation';
  id: string;
}

export const isConversationMessage = object<IConversationMessage>({
  type: oneOf('conversation'),
  id: isConversationId
});

/** The cells whose outputs the kernel has itself recorded. */
export interface IRanMessage {
  type: 'ran';
  cells: string[];
}

export const isRanMessage = object<IRanMessage>({
  type: oneOf('ran'),
  cells: listOf(isCellId, 20_000)
});

/** A new cell, which the user has allowed: `cell` is its id, `below` the cell above it or ''. */
export interface IInsertMessage {
  type: 'insert';
  cell: string;
  below: string;
  kind: 'code' | 'markdown';
  source: string;
}

export const isInsertMessage = object<IInsertMessage>({
  type: oneOf('insert'),
  cell: isCellId,
  below: text(256),
  kind: oneOf('code', 'markdown'),
  source: isSourceText
});

/** Another text for a cell, which the user has allowed; `was` is what it is to replace. */
export interface IEditMessage {
  type: 'edit';
  cell: string;
  was: string;
  source: string;
}

export const isEditMessage = object<IEditMessage>({
  type: oneOf('edit'),
  cell: isCellId,
  was: isSourceText,
  source: isSourceText
});

/** Alt text for the image of a cell's output that has this length and sum. */
export interface IAltMessage {
  type: 'alt';
  cell: string;
  kind: string;
  length: number;
  sum: number;
  alt: string;
}

export const isAltMessage = object<IAltMessage>({
  type: oneOf('alt'),
  cell: isCellId,
  kind: text(30, /^(?:image\/[a-z+]{1,20})$/),
  length: isWhole,
  sum: isWhole,
  alt: isSourceText
});

export type KernelSays =
  | IConversationMessage
  | IRanMessage
  | IInsertMessage
  | IEditMessage
  | IAltMessage;

export const isKernelSays = tagged<KernelSays>({
  conversation: isConversationMessage,
  ran: isRanMessage,
  insert: isInsertMessage,
  edit: isEditMessage,
  alt: isAltMessage
});
