/** A panel with the kernel's end of its comm, and what a user does to it. */

import './browser';

import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { IHost, IModel } from '../src/panel/host';
import { Panel } from '../src/panel/panel';
import type {
  ILive,
  IStateMessage,
  IPanelTurn,
  KernelMessage,
  PanelMessage
} from '../src/panel/protocol';

/** The messages that one side may send: both sides are tested with the same. */
export function samples<Message>(name: string): Message[] {
  const file = path.join(__dirname, '../../test/samples', `${name}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Message[];
}

export const STATE: IStateMessage = {
  type: 'state',
  title: 'page',
  model: 'sonnet',
  models: [
    { model: 'sonnet', name: 'Sonnet', price: '$3 in' },
    { model: 'opus', name: 'Opus', price: '$5 in' }
  ],
  spent: '$0.01',
  detail: 'This kernel: $0.01',
  server: ''
};

export function asked(prompt: string): IPanelTurn['asked'] {
  const where = { cell: '', place: '', panel: true };
  return { prompt, ...where, images: [], above: '', notices: [], started: 0 };
}

export function turn(id: string, said: Partial<IPanelTurn> = {}): IPanelTurn {
  return {
    id,
    asked: asked(`Question ${id}`),
    parts: [{ kind: 'text', text: `Answer ${id}` }],
    status: 'complete',
    below: '',
    detail: '',
    versions: [],
    ...said
  };
}

export function live(run: string, said: Partial<ILive> = {}): ILive {
  const nothing = { parts: [], n: 0, doing: 'sending', approvals: [], instead: [], before: '' };
  return { run, request: '', asked: asked(`Question ${run}`), ...nothing, ...said };
}

/** The kernel's end: what a panel says, and what it is told. */
export class Kernel implements IModel {
  readonly heard: PanelMessage[] = [];
  readonly buffers: (ArrayBuffer | ArrayBufferView)[] = [];

  on(_: string, callback: (content: unknown, buffers?: DataView[]) => void): void {
    this.listeners.add(callback);
  }

  off(_: string, callback: (content: unknown, buffers?: DataView[]) => void): void {
    this.listeners.delete(callback);
  }

  send(content: unknown, _: unknown, buffers: (ArrayBuffer | ArrayBufferView)[] = []): void {
    this.heard.push(content as PanelMessage);
    this.buffers.push(...buffers);
  }

  say(messages: readonly KernelMessage[], buffers: DataView[] = []): void {
    this.listeners.forEach(listener => listener({ messages }, buffers));
  }

  /** What was heard of this type. */
  of<Type extends PanelMessage['type']>(type: Type): Extract<PanelMessage, { type: Type }>[] {
    const found = this.heard.filter(message => message.type === type);
    return found as Extract<PanelMessage, { type: Type }>[];
  }

  private readonly listeners = new Set<(content: unknown, buffers?: DataView[]) => void>();
}

/** A panel on a page of its own, whose history has come with these turns. */
export class Page {
  readonly kernel = new Kernel();
  readonly panel: Panel;

  constructor({ turns = [], host = {}, earlier = 0, known = true }: IPageSettings = {}) {
    document.body.replaceChildren();
    this.panel = new Panel(this.kernel, document.body, host);
    this.say(STATE);
    if (known) {
      this.say({ type: 'history', view: this.view, turns, earlier, live: [] });
    }
  }

  get view(): string {
    return this.kernel.of('hello')[0]!.view;
  }

  say(...messages: KernelMessage[]): void {
    this.kernel.say(messages);
  }

  /** The element that a screen reader calls by this name, of those that are not hidden. */
  named<Kind extends HTMLElement = HTMLElement>(name: string, nth = 0): Kind {
    const found = this.all('[aria-label], button').filter(
      held => (held.getAttribute('aria-label') ?? held.textContent) === name
    );
    if (!found[nth]) {
      throw new Error(`there is no ${name}`);
    }
    return found[nth] as Kind;
  }

  has(name: string): boolean {
    try {
      return !!this.named(name);
    } catch {
      return false;
    }
  }

  /** What of the page is there to be seen. */
  all(selector: string): HTMLElement[] {
    const found = [...document.body.querySelectorAll<HTMLElement>(selector)];
    return found.filter(held => held.closest('[hidden]') === null);
  }

  texts(selector: string): string[] {
    return this.all(selector).map(held => (held.textContent ?? '').trim());
  }

  click(name: string, nth = 0): void {
    this.named(name, nth).click();
  }

  press(key: string, on: HTMLElement = this.question, said: KeyboardEventInit = {}): Event {
    const event = new KeyboardEvent('keydown', {
      key,
      bubbles: true,
      cancelable: true,
      ...said
    });
    on.dispatchEvent(event);
    return event;
  }

  get question(): HTMLTextAreaElement {
    return this.named<HTMLTextAreaElement>('Your question');
  }

  write(text: string, into: HTMLInputElement | HTMLTextAreaElement = this.question): void {
    into.value = text;
    into.dispatchEvent(new Event('input', { bubbles: true }));
  }

  /** Ask, as a user does; the id of the request. */
  ask(text: string): string {
    this.write(text);
    this.press('Enter');
    return this.kernel.of('ask').at(-1)!.request;
  }

  /** The kernel begins with the question that was asked last; its run is `r`. */
  begin(said: Partial<ILive> = {}): void {
    const { request, text } = this.kernel.of('ask').at(-1)!;
    this.say({ type: 'begin', live: live('r', { request, asked: asked(text), ...said }) });
  }
}

interface IPageSettings {
  turns?: IPanelTurn[];
  host?: IHost;
  earlier?: number;
  known?: boolean;
}
