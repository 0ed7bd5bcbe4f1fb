import { decorateCode } from './code';
import { Composer } from './composer';
import type { IDraft } from './composer';
import { Conversation } from './conversation';
import type { IItem } from './conversation';
import { openDialog } from './elements/dialog';
import { element, newId } from './elements/dom';
import { emptyState } from './empty';
import { Header } from './header';
import type { IHost, IModel } from './host';
import { TurnList } from './list';
import type { IMenuEntry } from './elements/menu';
import { picturesOf } from './pictures';
import { messagesOf } from './protocol';
import type { IAbout, IAsk, PanelMessage } from './protocol';
import { Search } from './search';
import type { ITurnActions } from './turn';

/** Milliseconds for which something is said in passing. */
const WHILE = 4_000;
/** So many parts of a reply stay in the region that is read out. */
const MOST_READ = 20;

/** The chat panel: a view of the kernel's conversation, and what asks for more. */
export class Panel {
  constructor(
    private readonly model: IModel,
    parent: HTMLElement,
    private readonly host: IHost = {}
  ) {
    this.conversation = new Conversation(this.view);
    this.status = element('div', { class: 'claude-chat-status', role: 'status' });
    this.readOut = element('div', { class: 'claude-chat-hidden', role: 'log' });
    this.readOut.setAttribute('aria-label', 'Answer');
    this.composer = new Composer(this.conversation);
    const empty = emptyState(question => this.composer.write(question));
    this.list = new TurnList(this.conversation, this.actions, empty);
    this.search = new Search(this.conversation, this.list, () => this.composer.focus());
    const dock = host.dock && (() => host.dock?.());
    const openSearch = (): void => this.search.open();
    this.header = new Header(this.conversation, () => this.menu(), openSearch, dock);
    this.element = element(
      'section',
      { 'class': 'claude-chat', 'aria-label': 'Chat with Claude' },
      this.header.element,
      this.search.element,
      this.list.element,
      this.status,
      this.readOut,
      this.composer.element
    );
    this.element.addEventListener('keydown', event => {
      const isFind = event.key === 'f' && (event.ctrlKey || event.metaKey);
      if (isFind && !event.altKey && !event.shiftKey) {
        event.preventDefault();
        event.stopPropagation();
        this.search.open();
      }
    });
    parent.append(this.element);
    this.connect();
    this.takeDrops();
  }

  dispose(): void {
    this.model.off('msg:custom', this.received);
    this.undo.forEach(undo => undo());
    window.clearTimeout(this.passing);
    this.header.dispose();
    this.search.dispose();
    this.list.dispose();
    this.composer.dispose();
    this.element.remove();
  }

  focus(): void {
    this.composer.focus();
  }

  /** Have this text stand there, ready to be sent. */
  write(text: string): void {
    this.composer.write(text);
  }

  /** Put an output to the next question. */
  attach(label: string, bundle: Record<string, unknown>): void {
    const attachment = newId();
    this.composer.attach(attachment, label);
    this.send({ type: 'attach', attachment, label, bundle });
    this.composer.focus();
  }

  /** Ask about a cell; the question with its answer, null if it could not be asked. */
  ask(text: string, about: IAbout): Promise<IItem | null> {
    const place = { whole: false, instead: '', after: '' };
    const draft = { text, attachments: [], without: [], keep: [], ...place };
    const request = this.sendDraft(draft, about);
    return new Promise(resolve => {
      let asked: IItem | undefined;
      const done = (item: IItem | null): void => {
        undo.forEach(each => each());
        resolve(item);
      };
      const undo = [
        this.conversation.on('items', () => {
          asked ??= this.conversation.byRequest(request);
          if (asked && asked.status !== 'live') {
            done(asked);
          }
        }),
        this.conversation.on('notice', notice => notice.request === request && done(null))
      ];
      this.undo.push(() => done(null));
    });
  }

  /** What stands in the composer. */
  get text(): string {
    return this.composer.draft;
  }

  set text(text: string) {
    this.composer.draft = text;
  }

  /** Ask what another panel, which is gone, was to ask. */
  submit(draft: IDraft): void {
    this.sendDraft(draft, null);
  }

  /**
   * The kernel is gone and hears nothing; what is asked now goes to `instead`, if it is given. This
   * may be said twice: by the widget, and by the dock, which knows how to go on.
   */
  disconnected(words: string, instead?: (draft: IDraft) => unknown): void {
    if (this.instead && !instead) {
      return;
    }
    this.instead = instead ?? (() => this.say(words, true));
    this.conversation.stopAll();
    this.say(words, true);
  }

  private connect(): void {
    this.model.on('msg:custom', this.received);
    this.undo.push(
      this.conversation.on('gap', () => this.hello()),
      this.conversation.on('notice', ({ request, text }) => {
        this.composer.refused(request, this.drafts.get(request));
        this.say(text, true);
      }),
      this.conversation.on('sent', ({ text }) => this.showText('What was sent', text)),
      this.conversation.on('exported', ({ name, text }) => download(name, text)),
      this.conversation.on('picture', ({ media_type, data }) => this.showPicture(media_type, data)),
      this.conversation.on('item', item => this.ended(item)),
      this.composer.on('ask', draft => {
        if (this.instead) {
          this.instead(draft);
        } else {
          this.sendDraft(draft, null);
        }
      }),
      this.composer.on('stop', () => this.stop()),
      this.composer.on('placed', () => this.moved()),
      this.composer.on('say', words => this.say(words, true)),
      this.composer.on('attach', ({ attachment, label, bytes }) =>
        this.send({ type: 'attach', attachment, label, bundle: {} }, [bytes])
      )
    );
    if (this.host.onMove) {
      this.undo.push(this.host.onMove(() => this.moved()));
    }
    this.hello();
  }

  private hello(): void {
    this.send({ type: 'hello', view: this.view });
    this.moved();
  }

  /** The user is at another cell, so that something else may go along, or has renamed the notebook. */
  private moved(): void {
    this.header.name = this.host.name?.() ?? '';
    const cell = this.host.activeCell?.() ?? '';
    const page = this.host.beforePreview?.() ?? '';
    this.send({ type: 'preview', cell, page, ...this.composer.place });
  }

  private send(message: PanelMessage, buffers?: ArrayBuffer[]): void {
    this.model.send(message, undefined, buffers);
  }

  private readonly received = (content: unknown, buffers: DataView[] = []): void => {
    for (const message of messagesOf(content)) {
      this.conversation.apply(message, buffers);
    }
  };

  private sendDraft(draft: IDraft, about: IAbout | null): string {
    const page = this.host.beforeAsk?.() ?? '';
    const request = newId();
    const cell = this.host.activeCell?.() ?? '';
    const { model } = this.header;
    const ask: IAsk = { type: 'ask', request, model, cell, page, about, ...draft };
    this.drafts.clear();
    this.drafts.set(request, draft);
    this.send(ask);
    this.asked(request);
    return request;
  }

  private again(item: IItem): void {
    if (item.turn === '') {
      this.conversation.forget(item);
      this.composer.write(item.asked.prompt);
      return;
    }
    const request = newId();
    this.send({ type: 'again', request, turn: item.turn, model: this.header.model });
    this.asked(request);
  }

  private asked(request: string): void {
    this.composer.sent(request);
    this.say('Sent');
    this.list.followRequest(request);
  }

  private stop(): void {
    const item = this.conversation.byRequest(this.composer.request);
    if (item) {
      this.send({ type: 'stop', run: item.run });
    }
  }

  /** Tells a screen reader that an answer is over, or that a call waits. */
  private ended(item: IItem): void {
    if (item.approvals.length > 0) {
      this.say('A tool waits for your word');
    } else if (item.status !== 'live' && this.drafts.has(item.request)) {
      this.drafts.clear();
      this.say(item.error || (item.status === 'complete' ? 'The answer is there' : item.below));
    }
  }

  /** Says something to the user; what is wrong stays until the next thing is said. */
  private say(words: string, stays = false): void {
    window.clearTimeout(this.passing);
    this.status.textContent = words;
    this.status.classList.toggle('claude-chat-shown', stays);
    if (!stays) {
      this.passing = window.setTimeout(() => (this.status.textContent = ''), WHILE);
    }
  }

  private menu(): IMenuEntry[] {
    const forms = { md: 'Markdown', json: 'JSON for the API', py: 'a Python script' } as const;
    return (Object.keys(forms) as (keyof typeof forms)[]).map(form => ({
      label: `Export as ${forms[form]}`,
      chosen: () => this.send({ type: 'export', form })
    }));
  }

  private takeDrops(): void {
    this.element.addEventListener('dragover', event => {
      if (event.dataTransfer?.types.includes('Files')) {
        event.preventDefault();
        event.stopPropagation();
        this.element.classList.add('claude-chat-dropping');
      }
    });
    const over = (): void => this.element.classList.remove('claude-chat-dropping');
    this.element.addEventListener('dragleave', over);
    this.element.addEventListener('drop', event => {
      over();
      const pictures = picturesOf(event.dataTransfer);
      if (pictures.length > 0) {
        event.preventDefault();
        event.stopPropagation();
        this.composer.take(pictures);
      }
    });
  }

  private showText(title: string, text: string): void {
    const content = element('pre', { class: 'claude-chat-dialog-text', tabindex: '0' }, text);
    openDialog(this.element, title, content);
  }

  private showPicture(mediaType: string, data: Uint8Array<ArrayBuffer>): void {
    if (!/^image\/(?:png|jpeg|gif|webp)$/.test(mediaType)) {
      return;
    }
    const url = URL.createObjectURL(new Blob([data], { type: mediaType }));
    const image = element('img', { src: url, alt: 'The image as it was sent' });
    image.addEventListener('load', () => URL.revokeObjectURL(url));
    openDialog(this.element, 'The image as it was sent', image);
  }

  private get actions(): ITurnActions {
    const { host } = this;
    return {
      decorate: (pre, code, language) =>
        decorateCode(pre, code, language, host, words => this.say(words)),
      canReveal: host.reveal !== undefined,
      canRunCell: host.runCell !== undefined,
      reveal: cell => host.reveal?.(cell),
      runCell: cell => host.runCell?.(cell),
      edit: item => {
        if (item.turn === '') {
          this.conversation.forget(item);
          this.composer.write(item.asked.prompt);
        } else {
          this.composer.edit(item);
        }
      },
      again: item => this.again(item),
      branch: item => this.composer.branch(item),
      forget: item => this.conversation.forget(item),
      send: message => this.send(message),
      focus: () => this.focus(),
      picture: (item, index) => this.send({ type: 'picture', turn: item.turn, index }),
      say: words => this.say(words),
      readOut: part => this.read(part.textContent ?? '')
    };
  }

  /** Has a part of an answer read out by a screen reader, once. */
  private read(text: string): void {
    this.readOut.append(element('p', {}, text));
    while (this.readOut.childElementCount > MOST_READ) {
      this.readOut.firstElementChild?.remove();
    }
  }

  readonly element: HTMLElement;
  private readonly view = newId();
  private readonly conversation: Conversation;
  private readonly header: Header;
  private readonly search: Search;
  private readonly list: TurnList;
  private readonly composer: Composer;
  private readonly status: HTMLElement;
  private readonly readOut: HTMLElement;
  private readonly undo: (() => void)[] = [];
  /** What was sent last, in case it comes back. */
  private readonly drafts = new Map<string, IDraft>();
  private passing = 0;
  /** Who takes a question, where the kernel is gone. */
  private instead: ((draft: IDraft) => unknown) | null = null;
}

/** Hands a file to the user. */
function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = element('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
