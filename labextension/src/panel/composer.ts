import type { Conversation, IItem } from './conversation';
import { element, icon, iconButton, newId, textButton } from './elements/dom';
import { Emitter } from './emitter';
import { bytesOf, picturesOf } from './pictures';
import { safeImage } from './protocol';
import type { IAttached, IChip, IImage } from './protocol';

/** What the composer holds for a question. */
export interface IDraft {
  text: string;
  attachments: string[];
  without: number[];
  instead: string;
  keep: number[];
  after: string;
  /** Whether it stands below all turns, wherever the user is. */
  whole: boolean;
}

interface IComposerEvents {
  /** The user wants to ask this. */
  ask: IDraft;
  /** The user wants what is under way to stop. */
  stop: void;
  /** Something to go along: a picture's bytes, or an output. */
  attach: { attachment: string; label: string; bytes: ArrayBuffer };
  /** The question stands elsewhere now. */
  placed: void;
  say: string;
}

/** Something of the user's that goes along. */
interface IAttachment {
  label: string;
  src: string;
  /** Whether the kernel has it. */
  ready: boolean;
}

const MOST_CELLS = 3;

/** Where a question is written, with all that goes along in view. */
export class Composer extends Emitter<IComposerEvents> {
  readonly element: HTMLElement;

  constructor(private readonly conversation: Conversation) {
    super();
    this.text = element('textarea', {
      'rows': '1',
      'placeholder': 'Ask about this notebook',
      'aria-label': 'Your question',
      'focus': () => this.emit('placed', undefined), // cells may have been moved, or edited
      'input': () => {
        this.isDue = false;
        this.grown();
      }
    });
    this.chips = element('div', { class: 'claude-chat-chips', role: 'list' });
    this.chips.setAttribute('aria-label', 'What goes along');
    this.banner = element('div', { class: 'claude-chat-banner' });
    this.seen = element('span', {});
    this.whole = textButton('', () => this.toggleWhole());
    this.sees = element('div', { class: 'claude-chat-sees' }, this.seen, this.whole);
    this.file = element('input', {
      'type': 'file',
      'accept': 'image/*',
      'multiple': true,
      'hidden': true,
      'aria-label': 'Pictures',
      'change': () => this.take(Array.from(this.file.files ?? []))
    });
    this.go = element('button', { type: 'button', click: () => this.sendOrStop() });
    const attach = iconButton('attach', 'Add pictures', () => this.file.click());
    const row = element('div', { class: 'claude-chat-composer-row' }, attach, this.text, this.go);
    this.element = element(
      'div',
      { class: 'claude-chat-composer' },
      this.banner,
      this.chips,
      this.sees,
      row,
      this.file
    );
    this.listen();
    this.undo = [
      conversation.on('chips', chips => this.carried(chips)),
      conversation.on('sees', () => this.showSees()),
      conversation.on('attached', attached => this.attached(attached)),
      conversation.on('items', () => this.update())
    ];
    this.update();
    this.showBanner();
    this.showChips();
    this.showSees();
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
  }

  focus(): void {
    this.text.focus();
  }

  /** Have this text stand there, ready to be sent. */
  write(text: string): void {
    this.text.value = text;
    this.grown();
    this.focus();
  }

  /** The text that stands there. */
  get draft(): string {
    return this.text.value;
  }

  set draft(text: string) {
    this.text.value = text;
    this.grown();
  }

  /** Where what is written would be asked, beside the cell that the user is at. */
  get place(): { whole: boolean; instead: string; after: string } {
    return { whole: this.isWhole, instead: this.instead, after: this.after };
  }

  /** The id of the question of this panel that is under way, '' if none is. */
  get request(): string {
    return this.asked !== '' && this.isRunning ? this.asked : '';
  }

  /** A question left with this id: Stop stands in the place of Send until it is over. */
  sent(request: string): void {
    this.asked = request;
    this.begun = false;
    this.reset();
    this.update();
  }

  /** A question could not be asked: what was written stands there again. */
  refused(request: string, draft: IDraft | undefined): void {
    if (request !== this.asked) {
      return;
    }
    this.asked = '';
    if (draft && this.text.value === '') {
      this.text.value = draft.text;
      this.grown();
    }
    this.update();
  }

  /** Write a question of the conversation in other words: it takes the place of that one. */
  edit(item: IItem): void {
    this.reset();
    this.instead = item.turn;
    this.banned = 'In place of the question above, and of what came after it';
    this.kept = new Map(item.asked.images.map((image, index) => [index, image]));
    this.emit('placed', undefined);
    this.showBanner();
    this.showChips();
    this.write(item.asked.prompt);
  }

  /** Ask something after an earlier turn: what was asked after it is kept as a branch. */
  branch(item: IItem): void {
    this.reset();
    this.after = item.turn;
    const start = item.asked.prompt.slice(0, 40);
    this.banned = `After “${start}”; what came after it is kept as another branch`;
    this.emit('placed', undefined);
    this.showBanner();
    this.focus();
  }

  /** Give back what the user has attached under this id, so that it shows. */
  attach(attachment: string, label: string): void {
    this.attachments.set(attachment, { label, src: '', ready: false });
    this.showChips();
  }

  private listen(): void {
    this.text.addEventListener('keydown', event => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        if (!this.isRunning) {
          this.send();
        }
      } else if (event.key === 'Escape') {
        this.escape();
      }
      if (!event.ctrlKey && !event.metaKey) {
        event.stopPropagation(); // what is typed here is no shortcut of the notebook's
      }
    });
    this.element.addEventListener('paste', event => {
      const pictures = picturesOf(event.clipboardData);
      if (pictures.length > 0) {
        event.preventDefault();
        this.take(pictures);
      }
    });
  }

  /** Take pictures that were dropped anywhere on the panel. */
  take(files: File[]): void {
    for (const file of files) {
      const attachment = newId();
      const label = file.name || 'picture';
      this.attach(attachment, label);
      bytesOf(file).then(
        bytes => this.emit('attach', { attachment, label, bytes }),
        () => {
          this.attachments.delete(attachment);
          this.showChips();
          this.emit('say', `${label} cannot be read as a picture`);
        }
      );
    }
    this.file.value = '';
  }

  private attached({ attachment, label, src, problem }: IAttached): void {
    const held = this.attachments.get(attachment);
    if (!held) {
      return;
    }
    if (problem !== '') {
      this.attachments.delete(attachment);
      this.emit('say', `${label}: ${problem}`);
    } else {
      this.attachments.set(attachment, { label: held.label, src, ready: true });
    }
    this.showChips();
    this.update();
  }

  private carried(chips: readonly IChip[]): void {
    const serials = new Set(chips.map(chip => chip.serial));
    this.without.forEach(serial => serials.has(serial) || this.without.delete(serial));
    this.showChips();
  }

  private sendOrStop(): void {
    if (this.isRunning) {
      this.emit('stop', undefined);
      this.focus(); // the button is about to be Send, with nothing to send
    } else {
      this.send();
    }
  }

  /** Send it now, or once the pictures are there and the kernel has told the conversation. */
  private send(): void {
    const text = this.text.value;
    const waiting = [...this.attachments.values()].some(({ ready }) => !ready);
    if (text.trim() === '') {
      return;
    }
    this.isDue = waiting || !this.conversation.known;
    if (this.isDue) {
      return;
    }
    this.emit('ask', {
      text,
      attachments: [...this.attachments.keys()],
      without: [...this.without],
      keep: [...this.kept.keys()],
      ...this.place
    });
  }

  private escape(): void {
    if (this.isRunning) {
      this.emit('stop', undefined);
    } else if (this.instead || this.after) {
      this.reset();
    }
  }

  private reset(): void {
    const isPlaced = this.instead !== '' || this.after !== '';
    this.text.value = '';
    this.instead = '';
    this.after = '';
    this.banned = '';
    this.attachments.clear();
    this.kept.clear();
    this.without.clear();
    if (isPlaced) {
      this.emit('placed', undefined);
    }
    this.grown();
    this.showBanner();
    this.showChips();
  }

  /** Have the next question stand below all turns, or again below the cell that the user is at. */
  private toggleWhole(): void {
    this.isWhole = !this.isWhole;
    this.emit('placed', undefined);
    this.showSees();
    this.focus();
  }

  /** What the next question sees of the conversation; how to have it see all. */
  private showSees(): void {
    const { sees } = this.conversation;
    const turns = sees?.all === 1 ? '1 turn' : `${sees?.all} turns`;
    const all = sees?.all === 1 ? '1 turn' : `all ${turns}`;
    const isPart = sees !== null && sees.seen < sees.all;
    const count = isPart ? `sees ${sees.seen} of ${turns}` : sees?.all ? `sees ${all}` : '';
    const below = sees?.below ? `below ${sees.below}` : '';
    this.seen.textContent = [count, below].filter(Boolean).join(' · ');
    this.sees.classList.toggle('claude-chat-part', isPart);
    this.whole.textContent = this.isWhole ? 'See less' : 'See all';
    this.whole.title = this.isWhole
      ? 'The next question sees what stands above the active cell'
      : 'The next question stands below all turns, and sees the whole conversation';
    const isElsewhere = this.instead !== '' || this.after !== '';
    this.whole.hidden = isElsewhere || !(isPart || this.isWhole);
    this.sees.hidden = this.seen.textContent === '' && this.whole.hidden;
  }

  private grown(): void {
    this.text.style.height = 'auto';
    this.text.style.height = `${this.text.scrollHeight}px`;
    this.update();
  }

  /** Send, or in its place Stop. */
  private update(): void {
    const item = this.conversation.byRequest(this.asked);
    this.begun ||= item !== undefined;
    if (this.begun && !item) {
      this.asked = '';
      this.begun = false;
    }
    const name = this.isRunning ? 'stop' : 'send';
    if (this.go.dataset['does'] !== name) {
      this.go.dataset['does'] = name;
      const label = this.isRunning ? 'Stop' : 'Send';
      this.go.className = `claude-chat-button claude-chat-go claude-chat-${name}`;
      this.go.title = this.isRunning ? 'Stop (Esc)' : 'Send (Enter)';
      this.go.setAttribute('aria-label', label);
      this.go.replaceChildren(icon(name));
    }
    this.go.disabled = !this.isRunning && this.text.value.trim() === '';
    if (this.isDue && !this.isRunning) {
      this.send();
    }
  }

  private get isRunning(): boolean {
    return this.asked !== '';
  }

  private showBanner(): void {
    const cancel = iconButton('close', 'Ask a new question instead', () => this.reset());
    this.banner.replaceChildren(element('span', {}, this.banned), cancel);
    this.banner.hidden = this.banned === '';
  }

  private showChips(): void {
    const chips = [...this.keptChips(), ...this.attachedChips(), ...this.carriedChips()];
    this.chips.replaceChildren(...chips);
    this.chips.hidden = chips.length === 0;
  }

  private keptChips(): HTMLElement[] {
    return [...this.kept].map(([index, image]) =>
      this.chip(image.label, image.src, '', () => this.kept.delete(index))
    );
  }

  private attachedChips(): HTMLElement[] {
    return [...this.attachments].map(([attachment, { label, src }]) =>
      this.chip(label, src, '', () => this.attachments.delete(attachment))
    );
  }

  /** What of the notebook goes along: nothing is gathered anew for a question that is edited. */
  private carriedChips(): HTMLElement[] {
    if (this.instead !== '') {
      return [];
    }
    const chips = this.conversation.chips.filter(({ serial }) => !this.without.has(serial));
    const cells = chips.filter(({ kind }) => kind === 'cell');
    const figures = chips.filter(({ kind }) => kind === 'figure');
    const one = (chip: IChip): HTMLElement =>
      this.chip(chip.label, chip.src, chip.detail, () => this.without.add(chip.serial));
    if (cells.length <= MOST_CELLS) {
      return [...cells, ...figures].map(one);
    }
    const detail = cells.map(({ label }) => label).join('\n');
    const all = this.chip(`${cells.length} cells`, '', detail, () =>
      cells.forEach(({ serial }) => this.without.add(serial))
    );
    return [all, ...figures.map(one)];
  }

  private chip(label: string, src: string, detail: string, remove: () => void): HTMLElement {
    const safe = safeImage(src);
    const name = element('span', { class: 'claude-chat-chip-label' }, label);
    const image = safe && element('img', { src: safe, alt: '' });
    const close = iconButton('close', `Leave out ${label}`, () => {
      remove();
      this.showChips();
      this.focus();
    });
    const attributes = { class: 'claude-chat-chip', role: 'listitem', title: detail || label };
    return element('div', attributes, image || null, name, close);
  }

  private readonly text: HTMLTextAreaElement;
  private readonly chips: HTMLElement;
  private readonly banner: HTMLElement;
  private readonly sees: HTMLElement;
  private readonly seen: HTMLElement;
  private readonly whole: HTMLButtonElement;
  private readonly file: HTMLInputElement;
  private readonly go: HTMLButtonElement;
  private readonly undo: (() => void)[];
  private readonly attachments = new Map<string, IAttachment>();
  private readonly without = new Set<number>();
  private kept = new Map<number, IImage>();
  private instead = '';
  private after = '';
  private banned = '';
  /** The id of the question that left last, '' once it is over. */
  private asked = '';
  /** Whether questions stand below all turns until the user says otherwise. */
  private isWhole = false;
  /** Whether what is written is to be sent as soon as it can be. */
  private isDue = false;
  /** Whether the kernel has said that it began. */
  private begun = false;
}
