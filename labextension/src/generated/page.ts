// Made from claude_magic/notebook/page/page_messages.py by labextension/generate.py: change it there.

import {
  isYesOrNo, isWhole, text, oneOf, listOf, object, tagged
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
 * A cell as it stands on the page now.
 *
 * `source` is not there where it is as told before; it is the first part of the text if that is
 * too long, and `missing` is how many characters follow. `count` is the execution count and
 * `outputs` how many outputs the cell shows; both are null while it runs or waits to be run, when
 * they would say nothing that still holds once this is read.
 */
export interface IChangedCell {
  id: string;
  kind: 'code' | 'markdown' | 'raw';
  source?: string;
  missing?: number;
  count: number | null;
  outputs: number | null;
  tags: string[];
}

/**
 * The cells that changed since they were last told, sent after the page message with their ids.
 *
 * Without any cell it says only that this page, and no other of the notebook's, is what comes next
 * belongs to.
 */
export interface ICellsMessage {
  type: 'cells';
  cells: IChangedCell[];
}

/**
 * This ends what a page tells before a question of its panel, which names the mark.
 *
 * The question comes another way, and may be there first.
 */
export interface IMarkMessage {
  type: 'mark';
  mark: string;
}

/**
 * A code cell that the kernel did not run, with what it shows, or a Markdown cell's pictures.
 *
 * `outputs` are as in the file, but for what is not sent; each is checked by itself. null: the
 * kernel is to forget what was sent. Attached pictures have the form of `display_data`, with the
 * name of the attachment in the metadata; `source` is then empty.
 */
export interface IToldCell {
  id: string;
  source: string;
  outputs: unknown[];
}

/**
 * What cells above a question show that is not for the kernel to record.
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
  | ICellsMessage
  | ISeenMessage
  | IMarkMessage;

/** The notebook's metadata are to hold this id. */
export interface IConversationMessage {
  type: 'conversation';
  id: string;
}

export const isConversationMessage = object<IConversationMessage>({
  type: oneOf('conversation'),
  id: isConversationId
});

/**
 * The cells whose outputs the kernel has itself recorded.
 *
 * Without `alone` other pages have told this kernel of the notebook, too: then each says before
 * what is run next that it is the one.
 */
export interface IRanMessage {
  type: 'ran';
  cells: string[];
  alone: boolean;
}

export const isRanMessage = object<IRanMessage>({
  type: oneOf('ran'),
  cells: listOf(isCellId, 20_000),
  alone: isYesOrNo
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

/** The kernel lacks what a page takes to be told: all that it knows is to be told again. */
export interface IAgainMessage {
  type: 'again';
}

export const isAgainMessage = object<IAgainMessage>({
  type: oneOf('again')
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
  | IAltMessage
  | IAgainMessage;

export const isKernelSays = tagged<KernelSays>({
  conversation: isConversationMessage,
  ran: isRanMessage,
  insert: isInsertMessage,
  edit: isEditMessage,
  alt: isAltMessage,
  again: isAgainMessage
});
