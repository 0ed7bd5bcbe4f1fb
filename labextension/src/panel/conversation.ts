import { Emitter } from './emitter';
import type {
  IPanelApproval,
  IAsked,
  IAttached,
  IChip,
  ILive,
  IPanelPart,
  IPicture,
  IStateMessage,
  IPanelTurn,
  ISees,
  KernelMessage,
  PanelStatus
} from './protocol';

/** A question as it stands in the panel: under way, answered, or not answered at all. */
export interface IItem {
  /** The same for as long as the panel shows it. */
  readonly key: string;
  asked: IAsked;
  parts: IPanelPart[];
  status: PanelStatus | 'live' | 'failed';
  /** The turn's id, '' as long as it is none. */
  turn: string;
  /** The id of what is under way, '' of what is over. */
  run: string;
  /** The id that a panel gave the question, '' if a cell asked it. */
  request: string;
  doing: string;
  approvals: IPanelApproval[];
  below: string;
  detail: string;
  versions: string[];
  error: string;
  /** The ids of the turns in whose place it is asked, as long as it is under way. */
  instead: string[];
  /** The turn before which it stands as long as it is under way, '' for the end. */
  before: string;
}

export interface IConversationEvents {
  /** Items came, went or moved. */
  items: void;
  /** These parts of an item have changed. */
  parts: { item: IItem; parts: number[] };
  /** Anything else of an item has changed. */
  item: IItem;
  /** A delta was lost: what an item shows is not all that came. */
  gap: void;
  state: IStateMessage;
  chips: IChip[];
  sees: ISees;
  attached: IAttached;
  picture: IPicture & { data: Uint8Array<ArrayBuffer> };
  sent: { turn: string; text: string };
  exported: { name: string; text: string };
  notice: { request: string; text: string };
}

/** The conversation as the kernel tells it. */
export class Conversation extends Emitter<IConversationEvents> {
  /** `view` is the id by which the kernel tells the history to this view alone. */
  constructor(private readonly view: string) {
    super();
  }

  /** What is shown, in its order: what another one is asked in place of is left out. */
  get items(): readonly IItem[] {
    const hidden = new Set(this.all.filter(isLive).flatMap(item => item.instead));
    return this.all.filter(item => item.turn === '' || !hidden.has(item.turn));
  }

  /** How many turns stand before those that are here. */
  earlier = 0;

  /** Whether the history has come. */
  known = false;

  state: IStateMessage | null = null;

  chips: IChip[] = [];

  /** What the next question sees of the conversation. */
  sees: ISees | null = null;

  /** Take over what the kernel says. */
  apply(message: KernelMessage, buffers: readonly DataView[]): void {
    switch (message.type) {
      case 'history':
        return message.view === this.view ? this.begin(message) : undefined;
      case 'earlier':
        this.earlier = message.earlier;
        this.all.unshift(...message.turns.filter(turn => !this.byTurn(turn.id)).map(ofTurn));
        return this.emit('items', undefined);
      case 'begin':
        return this.add(message.live);
      case 'delta':
        return this.delta(message.run, message.n, message.parts);
      case 'end':
        return this.end(message.run, message.turn, message.error);
      case 'turns':
        return this.turns(message.order, message.turns, message.versions, message.places);
      case 'state':
        this.state = message;
        return this.emit('state', message);
      case 'carried':
        this.chips = message.chips;
        return this.emit('chips', message.chips);
      case 'sees':
        this.sees = message;
        return this.emit('sees', message);
      case 'thumbnails':
        return this.change(this.byTurn(message.turn), item => {
          item.asked = { ...item.asked, images: message.images };
        });
      case 'picture': {
        const view = buffers[message.buffer];
        const data = view && new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
        return data && this.emit('picture', { ...message, data });
      }
      case 'attached':
        return this.emit('attached', message);
      case 'sent':
        return this.emit('sent', message);
      case 'exported':
        return this.emit('exported', message);
      case 'notice':
        return this.emit('notice', message);
      default:
        return this.underWay(message);
    }
  }

  /** The item of a turn. */
  byTurn(id: string): IItem | undefined {
    return id === '' ? undefined : this.all.find(item => item.turn === id);
  }

  /** The question that has this request's id and is under way. */
  byRequest(request: string): IItem | undefined {
    return this.all.find(item => item.request === request && item.status === 'live');
  }

  /** The kernel is gone: nothing more comes of what is under way. */
  stopAll(): void {
    for (const item of this.all.filter(isLive)) {
      Object.assign(item, { status: 'failed', run: '', approvals: [], instead: [] });
      item.error = 'The kernel was restarted before the answer was whole.';
      this.emit('item', item);
    }
    this.emit('items', undefined);
  }

  /** Take away a question that was not answered. */
  forget(item: IItem): void {
    this.all = this.all.filter(other => other !== item);
    this.emit('items', undefined);
  }

  private begin(message: KernelMessage & { type: 'history' }): void {
    const kept = this.all.filter(item => item.status === 'failed');
    this.all = [...message.turns.map(ofTurn), ...kept];
    message.live.map(ofLive).forEach(item => this.insert(item));
    this.counts = new Map(message.live.map(live => [live.run, live.n]));
    this.earlier = message.earlier;
    this.known = true;
    this.emit('items', undefined);
  }

  private add(live: ILive): void {
    if (!this.known || this.byRun(live.run)) {
      return;
    }
    this.counts.set(live.run, live.n);
    this.insert(ofLive(live));
    this.emit('items', undefined);
  }

  /** Put what is under way where its turn will stand. */
  private insert(item: IItem): void {
    const at = this.all.findIndex(({ turn }) => turn !== '' && turn === item.before);
    this.all.splice(at < 0 ? this.all.length : at, 0, item);
  }

  private delta(run: string, n: number, parts: [number, IPanelPart][]): void {
    const item = this.byRun(run);
    const count = this.counts.get(run) ?? 0;
    if (!item || n < count) {
      return; // the history held it already
    }
    if (n > count) {
      this.emit('gap', undefined);
      return;
    }
    this.counts.set(run, n + 1);
    for (const [number, part] of parts) {
      const held = item.parts[number];
      item.parts[number] = held ? { ...held, ...part, text: held.text + part.text } : part;
    }
    this.emit('parts', { item, parts: parts.map(([number]) => number) });
  }

  private underWay(message: Extract<KernelMessage, { run: string }>): void {
    const item = this.byRun(message.run);
    if (!item) {
      return;
    }
    if (message.type === 'doing') {
      item.doing = message.doing;
    } else if (message.type === 'call') {
      item.parts[message.part] = message.call;
      this.emit('parts', { item, parts: [message.part] });
    } else if (message.type === 'approve') {
      item.approvals = [...item.approvals, message.approval];
    } else if (message.type === 'approved') {
      item.approvals = item.approvals.filter(held => held.approval !== message.approval);
    }
    this.emit('item', item);
  }

  private end(run: string, turn: IPanelTurn | null, error: string): void {
    const item = this.byRun(run);
    if (!item) {
      return;
    }
    this.counts.delete(run);
    // A recorded reply that is shown again may be one that stands here already.
    const twin = turn && this.byTurn(turn.id);
    this.all = this.all.filter(other => !twin || other !== twin);
    const over = turn ? ofTurn(turn) : { ...item, status: 'failed' as const };
    Object.assign(item, over, {
      key: item.key,
      request: item.request,
      run: '',
      doing: '',
      approvals: [],
      instead: [],
      error
    });
    this.emit('parts', { item, parts: item.parts.map((_, number) => number) });
    this.emit('item', item);
    this.emit('items', undefined);
  }

  private turns(
    order: string[],
    turns: IPanelTurn[],
    versions: Record<string, string[]>,
    places: Record<string, string>
  ): void {
    if (!this.known) {
      return;
    }
    const here = new Map(this.all.filter(item => item.turn).map(item => [item.turn, item]));
    turns.forEach(turn => here.has(turn.id) || here.set(turn.id, ofTurn(turn)));
    const before = new Map<IItem, string>();
    let last = '';
    for (const item of this.all) {
      if (item.turn) {
        last = item.turn;
      } else {
        before.set(item, last);
      }
    }
    const loose = [...before.keys()].filter(item => !isLive(item));
    const takeAfter = (id: string): IItem[] => loose.filter(item => before.get(item) === id);
    const placed = order.flatMap(id => {
      const item = here.get(id);
      return item ? [item, ...takeAfter(id)] : [];
    });
    const rest = loose.filter(item => !placed.includes(item));
    // Those that stood before all others keep that place.
    const first = rest.filter(item => before.get(item) === '');
    const underWay = this.all.filter(isLive);
    this.all = [...first, ...placed, ...rest.filter(item => !first.includes(item))];
    underWay.forEach(item => this.insert(item));
    for (const item of this.all) {
      const place = places[item.asked.cell];
      const of = versions[item.turn] ?? [];
      const isOld = String(of) === String(item.versions);
      if ((place !== undefined && place !== item.asked.place) || (item.turn && !isOld)) {
        item.versions = of;
        item.asked = { ...item.asked, place: place ?? item.asked.place };
        this.emit('item', item);
      }
    }
    this.emit('items', undefined);
  }

  private change(item: IItem | undefined, change: (item: IItem) => void): void {
    if (item) {
      change(item);
      this.emit('item', item);
    }
  }

  private byRun(run: string): IItem | undefined {
    return this.all.find(item => item.run === run);
  }

  private all: IItem[] = [];
  /** How many deltas of what is under way have come. */
  private counts = new Map<string, number>();
}

function isLive(item: IItem): boolean {
  return item.status === 'live';
}

function ofTurn(turn: IPanelTurn): IItem {
  return {
    key: turn.id,
    asked: turn.asked,
    parts: turn.parts,
    status: turn.status,
    turn: turn.id,
    run: '',
    request: '',
    doing: '',
    approvals: [],
    below: turn.below,
    detail: turn.detail,
    versions: turn.versions,
    error: '',
    instead: [],
    before: ''
  };
}

function ofLive(live: ILive): IItem {
  return {
    key: live.run,
    asked: live.asked,
    parts: [...live.parts],
    status: 'live',
    turn: '',
    run: live.run,
    request: live.request,
    doing: live.doing,
    approvals: live.approvals,
    below: '',
    detail: '',
    versions: [],
    error: '',
    instead: live.instead,
    before: live.before
  };
}
