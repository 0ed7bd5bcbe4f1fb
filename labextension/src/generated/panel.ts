// Made from claude_magic/panel/protocol.py by labextension/generate.py: change it there.

import {
  isText, isYesOrNo, isNumber, isWhole, oneOf, nullable, optional, listOf, mapOf, tuple, object,
  tagged
} from '../checks';

export type PanelStatus =
  | 'complete'
  | 'interrupted'
  | 'broken'
  | 'refused';

export const isPanelStatus = oneOf('complete', 'interrupted', 'broken', 'refused');

/** An image that was sent: `src` a small `data:` URI, '' as long as none is made. */
export interface IImage {
  label: string;
  src: string;
  width: number;
  height: number;
}

export const isImage = object<IImage>({
  label: isText,
  src: isText,
  width: isWhole,
  height: isWhole
});

/**
 * A part of a reply, in its order.
 *
 * Text is Markdown with the marks of footnotes, `sources` the list of what they stand for. A call
 * has `name`, its `text` is the arguments; `state` says how it stands, `result` what it gave, in
 * words, and `images` its pictures, as small `data:` URIs. Of what the server did, `server`, the
 * `text` is one line, and `result` is Markdown that stands folded below it.
 */
export interface IPanelPart {
  kind: 'text' | 'thinking' | 'call' | 'server' | 'sources';
  text: string;
  name?: string;
  state?: 'asked' | 'running' | 'done' | 'denied' | 'failed';
  result?: string;
  images?: string[];
  seconds?: number;
}

export const isPanelPart = object<IPanelPart>({
  kind: oneOf('text', 'thinking', 'call', 'server', 'sources'),
  text: isText,
  name: optional(isText),
  state: optional(oneOf('asked', 'running', 'done', 'denied', 'failed')),
  result: optional(isText),
  images: optional(listOf(isText)),
  seconds: optional(isNumber)
});

/**
 * A question. `cell` asked it, or with `panel` it stands below that; `place` is a word for it.
 *
 * `above` says of whom it was asked and what went along, `notices` what the user should know.
 */
export interface IAsked {
  prompt: string;
  cell: string;
  place: string;
  panel: boolean;
  images: IImage[];
  above: string;
  notices: string[];
  started: number;
}

export const isAsked = object<IAsked>({
  prompt: isText,
  cell: isText,
  place: isText,
  panel: isYesOrNo,
  images: listOf(isImage),
  above: isText,
  notices: listOf(isText),
  started: isNumber
});

/**
 * A question with its reply; `below` is the line of tokens and price, `detail` its tooltip.
 *
 * `versions` are the ids of the turns that answer the same question, if there are several.
 */
export interface IPanelTurn {
  id: string;
  asked: IAsked;
  parts: IPanelPart[];
  status: PanelStatus;
  below: string;
  detail: string;
  versions: string[];
}

export const isPanelTurn = object<IPanelTurn>({
  id: isText,
  asked: isAsked,
  parts: listOf(isPanelPart),
  status: isPanelStatus,
  below: isText,
  detail: isText,
  versions: listOf(isText)
});

/**
 * A call that waits for the user's word: its id, made by the kernel, its name, all of it.
 *
 * "Always" holds for the tool where that is `lasting`, else for this run only.
 */
export interface IPanelApproval {
  approval: string;
  name: string;
  text: string;
  lasting: boolean;
}

export const isPanelApproval = object<IPanelApproval>({
  approval: isText,
  name: isText,
  text: isText,
  lasting: isYesOrNo
});

/**
 * A question under way: `n` counts the deltas that `parts` hold.
 *
 * `request` is the id that a panel gave it, '' if a cell asks. It is asked in place of `instead`,
 * and stands before the turn `before`, '' for the end.
 */
export interface ILive {
  run: string;
  request: string;
  asked: IAsked;
  parts: IPanelPart[];
  n: number;
  doing: string;
  approvals: IPanelApproval[];
  instead: string[];
  before: string;
}

export const isLive = object<ILive>({
  run: isText,
  request: isText,
  asked: isAsked,
  parts: listOf(isPanelPart),
  n: isWhole,
  doing: isText,
  approvals: listOf(isPanelApproval),
  instead: listOf(isText),
  before: isText
});

/** A piece of the notebook that would go along; `serial` is what it is left out by. */
export interface IChip {
  serial: number;
  kind: 'cell' | 'figure';
  label: string;
  detail: string;
  src: string;
}

export const isChip = object<IChip>({
  serial: isWhole,
  kind: oneOf('cell', 'figure'),
  label: isText,
  detail: isText,
  src: isText
});

/** A model to choose; `price` in words. */
export interface IModelChoice {
  model: string;
  name: string;
  price: string;
}

export const isModelChoice = object<IModelChoice>({
  model: isText,
  name: isText,
  price: isText
});

/** The line at the top. `model` is the one in force for this notebook. */
export interface IStateMessage {
  type: 'state';
  title: string;
  model: string;
  models: IModelChoice[];
  spent: string;
  detail: string;
  server: string;
}

export const isStateMessage = object<IStateMessage>({
  type: oneOf('state'),
  title: isText,
  model: isText,
  models: listOf(isModelChoice),
  spent: isText,
  detail: isText,
  server: isText
});

/** The conversation, for the view that said hello; `earlier` turns are not in it. */
export interface IHistoryMessage {
  type: 'history';
  view: string;
  turns: IPanelTurn[];
  earlier: number;
  live: ILive[];
}

export const isHistoryMessage = object<IHistoryMessage>({
  type: oneOf('history'),
  view: isText,
  turns: listOf(isPanelTurn),
  earlier: isWhole,
  live: listOf(isLive)
});

/** Turns that stand before those told so far; `earlier` more stand before these. */
export interface IEarlier {
  type: 'earlier';
  turns: IPanelTurn[];
  earlier: number;
}

export const isEarlier = object<IEarlier>({
  type: oneOf('earlier'),
  turns: listOf(isPanelTurn),
  earlier: isWhole
});

export interface IBegin {
  type: 'begin';
  live: ILive;
}

export const isBegin = object<IBegin>({
  type: oneOf('begin'),
  live: isLive
});

/** What was added: to each part, counted from 0, its text; `n` counts the deltas of a run. */
export interface IDelta {
  type: 'delta';
  run: string;
  n: number;
  parts: [number, IPanelPart][];
}

export const isDelta = object<IDelta>({
  type: oneOf('delta'),
  run: isText,
  n: isWhole,
  parts: listOf(tuple(isWhole, isPanelPart))
});

/** What is happening until the first words come. */
export interface IDoingMessage {
  type: 'doing';
  run: string;
  doing: string;
}

export const isDoingMessage = object<IDoingMessage>({
  type: oneOf('doing'),
  run: isText,
  doing: isText
});

/** How a call of a tool stands now; `part` is its place among the parts. */
export interface ICallMessage {
  type: 'call';
  run: string;
  part: number;
  call: IPanelPart;
}

export const isCallMessage = object<ICallMessage>({
  type: oneOf('call'),
  run: isText,
  part: isWhole,
  call: isPanelPart
});

export interface IApproveMessage {
  type: 'approve';
  run: string;
  approval: IPanelApproval;
}

export const isApproveMessage = object<IApproveMessage>({
  type: oneOf('approve'),
  run: isText,
  approval: isPanelApproval
});

/** A call was decided, here or elsewhere, or does not wait any more. */
export interface IApproved {
  type: 'approved';
  run: string;
  approval: string;
}

export const isApproved = object<IApproved>({
  type: oneOf('approved'),
  run: isText,
  approval: isText
});

/** A question is over; `turn` is null where nothing is kept of it. `error` in one line. */
export interface IEnd {
  type: 'end';
  run: string;
  turn: IPanelTurn | null;
  error: string;
}

export const isEnd = object<IEnd>({
  type: oneOf('end'),
  run: isText,
  turn: nullable(isPanelTurn),
  error: isText
});

/** The ids of the turns that count, in the order asked, and those that were not told yet. */
export interface ITurns {
  type: 'turns';
  order: string[];
  turns: IPanelTurn[];
  versions: Record<string, string[]>;
  places: Record<string, string>;
}

export const isTurns = object<ITurns>({
  type: oneOf('turns'),
  order: listOf(isText),
  turns: listOf(isPanelTurn),
  versions: mapOf(listOf(isText)),
  places: mapOf(isText)
});

/** How many of `all` turns the next question would see; it stands below the cell `below`. */
export interface ISees {
  type: 'sees';
  seen: number;
  all: number;
  below: string;
}

export const isSees = object<ISees>({
  type: oneOf('sees'),
  seen: isWhole,
  all: isWhole,
  below: isText
});

/** What of the notebook would go along with the next question. */
export interface ICarried {
  type: 'carried';
  chips: IChip[];
}

export const isCarried = object<ICarried>({
  type: oneOf('carried'),
  chips: listOf(isChip)
});

/** An attachment as it would be sent, or with a `problem` why it cannot be. */
export interface IAttached {
  type: 'attached';
  attachment: string;
  label: string;
  src: string;
  problem: string;
}

export const isAttached = object<IAttached>({
  type: oneOf('attached'),
  attachment: isText,
  label: isText,
  src: isText,
  problem: isText
});

/** The images of a turn, small. */
export interface IThumbnails {
  type: 'thumbnails';
  turn: string;
  images: IImage[];
}

export const isThumbnails = object<IThumbnails>({
  type: oneOf('thumbnails'),
  turn: isText,
  images: listOf(isImage)
});

/** An image of a turn as it was sent: its bytes are the batch's buffer number `buffer`. */
export interface IPicture {
  type: 'picture';
  turn: string;
  index: number;
  media_type: string;
  buffer: number;
}

export const isPicture = object<IPicture>({
  type: oneOf('picture'),
  turn: isText,
  index: isWhole,
  media_type: isText,
  buffer: isWhole
});

/** All that was sent with a turn, as text. */
export interface ISent {
  type: 'sent';
  turn: string;
  text: string;
}

export const isSent = object<ISent>({
  type: oneOf('sent'),
  turn: isText,
  text: isText
});

/** The conversation as a file. */
export interface IExported {
  type: 'exported';
  name: string;
  text: string;
}

export const isExported = object<IExported>({
  type: oneOf('exported'),
  name: isText,
  text: isText
});

/** A line for the user; `request` is the question that could not be asked, '' for none. */
export interface INotice {
  type: 'notice';
  request: string;
  text: string;
}

export const isNotice = object<INotice>({
  type: oneOf('notice'),
  request: isText,
  text: isText
});

export type KernelMessage =
  | IStateMessage
  | IHistoryMessage
  | IEarlier
  | IBegin
  | IDelta
  | IDoingMessage
  | ICallMessage
  | IApproveMessage
  | IApproved
  | IEnd
  | ITurns
  | ICarried
  | ISees
  | IAttached
  | IThumbnails
  | IPicture
  | ISent
  | IExported
  | INotice;

export const isKernelMessage = tagged<KernelMessage>({
  state: isStateMessage,
  history: isHistoryMessage,
  earlier: isEarlier,
  begin: isBegin,
  delta: isDelta,
  doing: isDoingMessage,
  call: isCallMessage,
  approve: isApproveMessage,
  approved: isApproved,
  end: isEnd,
  turns: isTurns,
  carried: isCarried,
  sees: isSees,
  attached: isAttached,
  thumbnails: isThumbnails,
  picture: isPicture,
  sent: isSent,
  exported: isExported,
  notice: isNotice
});

/** A view is there and knows nothing yet; also sent again where a delta was lost. */
export interface IHello {
  type: 'hello';
  view: string;
}

/** The cell that a question is about, with its text and the error that it shows. */
export interface IAbout {
  task: 'explain' | 'fix' | 'edit';
  cell: string;
  source: string;
  error: string;
}

/**
 * A question.
 *
 * `attachments` are ids, `without` the serials of the pieces that are not to go along. Of the
 * images of the turn in whose place it is asked `keep` go along again. `about` is a task.
 */
export interface IAsk {
  request: string;
  cell: string;
  page: string;
  whole: boolean;
  instead: string;
  after: string;
  type: 'ask';
  text: string;
  model: string;
  attachments: string[];
  without: number[];
  keep: number[];
  about: IAbout | null;
}

/** The same question once more, in place of the turn that answers it. */
export interface IAgain {
  request: string;
  type: 'again';
  turn: string;
  model: string;
}

export interface IStop {
  type: 'stop';
  run: string;
}

/** The user's word on a call that waits: only this approves, by the id that the kernel made. */
export interface IDecide {
  type: 'decide';
  approval: string;
  answer: 'once' | 'always' | 'deny';
  reason: string;
}

/** Something to go along: an image in the message's first buffer, or an output's mimebundle. */
export interface IAttach {
  type: 'attach';
  attachment: string;
  label: string;
  bundle: Record<string, unknown>;
}

/** A request that names a turn: make it count again, take it out, show what was sent. */
export interface IOfTurn {
  type: 'switch' | 'remove' | 'sent';
  turn: string;
}

export interface IWantPicture {
  type: 'picture';
  turn: string;
  index: number;
}

/** More turns, before the one named. */
export interface IWantEarlier {
  type: 'earlier';
  before: string;
}

/** What would go along with a question that stands here? */
export interface IPreview {
  cell: string;
  page: string;
  whole: boolean;
  instead: string;
  after: string;
  type: 'preview';
}

export interface IExport {
  type: 'export';
  form: 'md' | 'json' | 'py';
}

export type PanelMessage =
  | IHello
  | IAsk
  | IAgain
  | IStop
  | IDecide
  | IAttach
  | IOfTurn
  | IWantPicture
  | IWantEarlier
  | IPreview
  | IExport;
