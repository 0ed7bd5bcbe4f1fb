import type { Conversation, IItem } from './conversation';
import { element, iconButton, textButton } from './elements/dom';
import type { ITurnActions } from './turn';
import { TurnView } from './turn';

/** So near to the end, in pixels, the reader is taken to follow what comes. */
const NEAR = 24;
/**
 * Milliseconds between two looks at what streams, and while nobody can see it. Seven a second read
 * as flowing; each look typesets and lays out the block that grows, which is what a stream costs.
 */
const PACE = 140;
const UNSEEN = 500;

/** The turns, one below the other. */
export class TurnList {
  readonly element: HTMLElement;

  constructor(
    private readonly conversation: Conversation,
    private readonly actions: ITurnActions,
    empty: HTMLElement
  ) {
    this.earlier = textButton('Show earlier turns', () => this.showEarlier());
    this.turns = element('div', { class: 'claude-chat-turns' }, this.earlier);
    this.element = element('div', { class: 'claude-chat-list', tabindex: '0', role: 'region' });
    this.element.setAttribute('aria-label', 'Conversation');
    this.toEnd = iconButton('down', 'Go to the end', () => this.scrollToEnd());
    this.toEnd.classList.add('claude-chat-to-end');
    this.element.append(empty, this.turns, this.toEnd);
    this.empty = empty;
    this.element.addEventListener('scroll', () => this.scrolled(), { passive: true });
    this.undo = [
      conversation.on('items', () => this.update()),
      conversation.on('item', item => this.views.get(item.key)?.update(item)),
      conversation.on('parts', ({ item, parts }) => this.later(item, parts))
    ];
    // After each change has been laid out: the reader stays at the end, or where they are above it.
    const resized = new ResizeObserver(() => this.follow());
    resized.observe(this.element);
    resized.observe(this.turns);
    this.undo.push(() => resized.disconnect());
    this.update();
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
    window.clearTimeout(this.frame);
  }

  /** The element of an item. */
  elementOf(item: IItem): HTMLElement | undefined {
    return this.views.get(item.key)?.element;
  }

  /** Go to the end, and follow what comes. */
  scrollToEnd(): void {
    this.isFollowing = true;
    this.followed = '';
    this.follow();
  }

  /** Follow the answer to the question that a panel gives this id, wherever it comes to stand. */
  followRequest(request: string): void {
    this.request = request;
    this.scrollToEnd();
  }

  /** Have all turns here, also those that stand before what is shown. */
  showEarlier(): void {
    const first = this.conversation.items.find(item => item.turn !== '');
    if (this.conversation.earlier > 0 && first) {
      // Browsers keep what is read in its place only in a list that is scrolled.
      this.element.scrollTop = Math.max(1, this.element.scrollTop);
      this.actions.send({ type: 'earlier', before: first.turn });
    }
  }

  private update(): void {
    const { items, earlier, known } = this.conversation;
    const keys = new Set(items.map(item => item.key));
    for (const [key, view] of this.views) {
      if (!keys.has(key)) {
        const hadFocus = view.element.contains(document.activeElement);
        view.element.remove();
        this.views.delete(key);
        if (hadFocus) {
          this.actions.focus();
        }
      }
    }
    let before: Element = this.earlier;
    for (const item of items) {
      let view = this.views.get(item.key);
      if (!view) {
        view = new TurnView(item, this.actions);
        this.views.set(item.key, view);
      }
      if (before.nextElementSibling !== view.element) {
        before.after(view.element);
      }
      before = view.element;
    }
    const asked = this.request !== '' && items.find(item => item.request === this.request);
    if (asked) {
      this.request = '';
      this.followed = asked === items[items.length - 1] ? '' : asked.key;
      this.follow();
    }
    // Last: at the very top there would be no room to keep what is read in its place.
    this.earlier.hidden = earlier === 0;
    this.empty.hidden = !known || items.length > 0;
  }

  /** What streams is shown the first time at once, then as often as the eye can make use of. */
  private later(item: IItem, parts: number[]): void {
    const changed = this.changed.get(item) ?? new Set();
    parts.forEach(part => changed.add(part));
    this.changed.set(item, changed);
    if (item.status !== 'live') {
      this.flush();
    } else if (!this.frame) {
      const pace = document.hidden ? UNSEEN : PACE;
      const due = Math.max(0, this.flushed + pace - performance.now());
      this.frame = window.setTimeout(() => this.flush(), due);
    }
  }

  private flush(): void {
    window.clearTimeout(this.frame);
    this.frame = 0;
    this.flushed = performance.now();
    const changed = [...this.changed];
    this.changed.clear();
    for (const [item, parts] of changed) {
      this.views.get(item.key)?.showParts(item, [...parts]);
    }
  }

  private follow(): void {
    if (this.isFollowing) {
      const view = this.views.get(this.followed);
      this.element.scrollTop = view ? this.endOf(view.element) : Number.MAX_SAFE_INTEGER;
      this.top = this.element.scrollTop;
    }
    this.showToEnd();
  }

  private scrolled(): void {
    const { scrollTop } = this.element;
    if (this.fromEnd < NEAR) {
      this.isFollowing = true;
      this.followed = '';
    } else if (scrollTop < this.top || (this.followed !== '' && scrollTop > this.top)) {
      this.isFollowing = false; // the reader went away; else more has come since it was scrolled
    }
    this.top = scrollTop;
    this.showToEnd();
  }

  private showToEnd(): void {
    this.toEnd.classList.toggle('claude-chat-away', this.fromEnd < NEAR * 4);
  }

  /** How far to scroll so that the last of an element is the last that is seen. */
  private endOf(element: HTMLElement): number {
    const { bottom } = element.getBoundingClientRect();
    const below = bottom - this.element.getBoundingClientRect().bottom;
    return Math.ceil(this.element.scrollTop + below + NEAR);
  }

  private get fromEnd(): number {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight;
  }

  private readonly earlier: HTMLElement;
  private readonly empty: HTMLElement;
  private readonly turns: HTMLElement;
  private readonly toEnd: HTMLElement;
  private readonly views = new Map<string, TurnView>();
  private readonly changed = new Map<IItem, Set<number>>();
  private readonly undo: (() => void)[];
  private isFollowing = true;
  /** The key of the item that is followed, '' for the last one. */
  private followed = '';
  /** The id of a question that is to be followed once it stands here, '' for none. */
  private request = '';
  /** How far it was scrolled when that was last looked at. */
  private top = 0;
  /** The timer of the next look, 0 for none. */
  private frame = 0;
  private flushed = -UNSEEN;
}
