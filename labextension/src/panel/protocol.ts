/**
 * What a panel and the kernel say to each other, and what of it is believed.
 *
 * The kernel's side is `claude_magic/panel/protocol.py`, with the same names. The kernel sends
 * batches, at most twenty a second; a panel sends one message at a time.
 */

export type Status = 'complete' | 'interrupted' | 'broken' | 'refused';

/** An image that was sent: `src` a small `data:` URI, '' as long as none is made. */
export interface IImage {
  label: string;
  src: string;
  width: number;
  height: number;
}

/**
 * A part of a reply, in its order. Text is Markdown with the marks of footnotes, `sources` the list
 * of what they stand for. A call's `text` is its arguments. Of what the server did, `server`, the
 * `text` is one line, and `result` Markdown that stands folded below it.
 */
export interface IPart {
  kind: 'text' | 'thinking' | 'call' | 'server' | 'sources';
  text: string;
  name?: string;
  state?: 'asked' | 'running' | 'done' | 'denied' | 'failed';
  result?: string;
  /** Small images of what it gave. */
  images?: string[];
  seconds?: number;
}

/** A question. `cell` asked it, or with `panel` it stands below that; `place` is a word for it. */
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

/** A question with its reply; `below` is the line of tokens and price, `detail` its tooltip. */
export interface ITurn {
  id: string;
  asked: IAsked;
  parts: IPart[];
  status: Status;
  below: string;
  detail: string;
  versions: string[];
}

/**
 * A call that waits for the user's word: its id, made by the kernel, its name, all of it.
 * "Always" holds for the tool where that is `lasting`, else for this run only.
 */
export interface IApproval {
  approval: string;
  name: string;
  text: string;
  lasting: boolean;
}

/** A question under way: `n` counts the deltas that `parts` hold. */
export interface ILive {
  run: string;
  request: string;
  asked: IAsked;
  parts: IPart[];
  n: number;
  doing: string;
  approvals: IApproval[];
  instead: string[];
}

/** A piece of the notebook that would go along; `serial` is what it is left out by. */
export interface IChip {
  serial: number;
  kind: 'cell' | 'figure';
  label: string;
  detail: string;
  src: string;
}

export interface IModelChoice {
  model: string;
  name: string;
  price: string;
}

export interface IState {
  type: 'state';
  title: string;
  model: string;
  models: IModelChoice[];
  spent: string;
  detail: string;
  server: string;
}

export interface IAttached {
  type: 'attached';
  attachment: string;
  label: string;
  src: string;
  problem: string;
}

export interface IPicture {
  type: 'picture';
  turn: string;
  index: number;
  media_type: string;
  buffer: number;
}

export type KernelMessage =
  | IState
  | { type: 'history'; view: string; turns: ITurn[]; earlier: number; live: ILive[] }
  | { type: 'earlier'; turns: ITurn[]; earlier: number }
  | { type: 'begin'; live: ILive }
  | { type: 'delta'; run: string; n: number; parts: [number, IPart][] }
  | { type: 'doing'; run: string; doing: string }
  | { type: 'call'; run: string; part: number; call: IPart }
  | { type: 'approve'; run: string; approval: IApproval }
  | { type: 'approved'; run: string; approval: string }
  | { type: 'end'; run: string; turn: ITurn | null; error: string }
  | {
      type: 'turns';
      order: string[];
      turns: ITurn[];
      versions: Record<string, string[]>;
      places: Record<string, string>;
    }
  | { type: 'carried'; chips: IChip[] }
  | IAttached
  | { type: 'thumbnails'; turn: string; images: IImage[] }
  | IPicture
  | { type: 'sent'; turn: string; text: string }
  | { type: 'exported'; name: string; text: string }
  | { type: 'notice'; request: string; text: string };

/** The cell that a question is about, with its text and the error that it shows. */
export interface IAbout {
  task: 'explain' | 'fix' | 'edit';
  cell: string;
  source: string;
  error: string;
}

export interface IAsk {
  type: 'ask';
  request: string;
  text: string;
  /** '' for the one that the notebook is set to. */
  model: string;
  /** The cell that the user is at, '' if that is not known. */
  cell: string;
  attachments: string[];
  /** Serials of the pieces that are not to go along. */
  without: number[];
  /** The turn in whose place this is asked; of its images `keep` go along again. */
  instead: string;
  keep: number[];
  /** The turn on which this follows, whatever was asked after it. */
  after: string;
  about: IAbout | null;
}

export type PanelMessage =
  | { type: 'hello'; view: string }
  | IAsk
  | { type: 'again'; request: string; turn: string; model: string }
  | { type: 'stop'; run: string }
  | {
      type: 'decide';
      approval: string;
      answer: 'once' | 'always' | 'deny';
      reason: string;
    }
  | { type: 'attach'; attachment: string; label: string; bundle: Record<string, unknown> }
  | { type: 'switch' | 'remove' | 'sent'; turn: string }
  | { type: 'picture'; turn: string; index: number }
  | { type: 'earlier'; before: string }
  | { type: 'preview'; cell: string }
  | { type: 'export'; form: 'md' | 'json' | 'py' };

/** The messages of a batch; what is not one is left out. */
export function messagesOf(content: unknown): KernelMessage[] {
  const found = isObject(content) && Array.isArray(content.messages) ? content.messages : [];
  return found.filter(isMessage);
}

/** A small image that may be shown: one that stands in the address itself, and is no SVG. */
export function safeImage(src: string): string {
  return /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*$/.test(src) ? src : '';
}

const FIELDS: Record<string, Record<string, (value: unknown) => boolean>> = {
  state: { title: isText, model: isText, models: isList, spent: isText, server: isText },
  history: { view: isText, turns: isTurns, earlier: isNumber, live: isLives },
  earlier: { turns: isTurns, earlier: isNumber },
  begin: { live: isLive },
  delta: { run: isText, n: isNumber, parts: isPieces },
  doing: { run: isText, doing: isText },
  call: { run: isText, part: isNumber, call: isPart },
  approve: { run: isText, approval: isApproval },
  approved: { run: isText, approval: isText },
  end: { run: isText, turn: (value) => value === null || isTurn(value), error: isText },
  turns: { order: isTexts, turns: isTurns, versions: isObject, places: isObject },
  carried: { chips: isChips },
  attached: { attachment: isText, label: isText, src: isText, problem: isText },
  thumbnails: { turn: isText, images: isImages },
  picture: { turn: isText, index: isNumber, media_type: isText, buffer: isNumber },
  sent: { turn: isText, text: isText },
  exported: { name: isText, text: isText },
  notice: { request: isText, text: isText }
};

function isMessage(value: unknown): value is KernelMessage {
  const fields = isObject(value) ? FIELDS[String(value.type)] : undefined;
  return fields !== undefined && fits(value, fields);
}

function fits(value: unknown, fields: Record<string, (value: unknown) => boolean>): boolean {
  return isObject(value) && Object.entries(fields).every(([name, is]) => is(value[name]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isYesOrNo(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return isList(value) && value.every(isText);
}

function isImages(value: unknown): boolean {
  const fields = { label: isText, src: isText, width: isNumber, height: isNumber };
  return isList(value) && value.every(image => fits(image, fields));
}

function isPart(value: unknown): boolean {
  return (
    fits(value, { text: isText }) &&
    ['text', 'thinking', 'call', 'server', 'sources'].includes((value as IPart).kind)
  );
}

function isPieces(value: unknown): boolean {
  return (
    isList(value) &&
    value.every(piece => isList(piece) && isNumber(piece[0]) && isPart(piece[1]))
  );
}

function isAsked(value: unknown): boolean {
  const fields = { prompt: isText, cell: isText, place: isText, above: isText };
  return fits(value, { ...fields, images: isImages, notices: isTexts });
}

function isParts(value: unknown): boolean {
  return isList(value) && value.every(isPart);
}

function isTurn(value: unknown): boolean {
  const fields = { id: isText, status: isText, below: isText, detail: isText };
  return fits(value, { ...fields, asked: isAsked, parts: isParts, versions: isTexts });
}

function isTurns(value: unknown): boolean {
  return isList(value) && value.every(isTurn);
}

function isApproval(value: unknown): boolean {
  return fits(value, { approval: isText, name: isText, text: isText, lasting: isYesOrNo });
}

function isLive(value: unknown): boolean {
  const approvals = (held: unknown): boolean => isList(held) && held.every(isApproval);
  const fields = { run: isText, request: isText, doing: isText, n: isNumber, instead: isTexts };
  return fits(value, { ...fields, asked: isAsked, parts: isParts, approvals });
}

function isLives(value: unknown): boolean {
  return isList(value) && value.every(isLive);
}

function isChips(value: unknown): boolean {
  const fields = { serial: isNumber, kind: isText, label: isText, detail: isText, src: isText };
  return isList(value) && value.every(chip => fits(chip, fields));
}
