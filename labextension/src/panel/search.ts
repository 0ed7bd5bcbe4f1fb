import type { Conversation } from './conversation';
import { element, iconButton } from './elements/dom';
import type { TurnList } from './list';

/** Marks what was found by the browser's own means; where it has none, the turn alone is marked. */
const NAME = 'claude-chat-found';

/** A bar that finds words in the conversation. */
export class Search {
  readonly element: HTMLElement;

  constructor(
    private readonly conversation: Conversation,
    private readonly list: TurnList,
    private readonly closed: () => void
  ) {
    this.input = element('input', {
      'type': 'search',
      'placeholder': 'Search this conversation',
      'aria-label': 'Search this conversation',
      'input': () => this.search()
    });
    this.count = element('span', { class: 'claude-chat-line', role: 'status' });
    this.element = element(
      'div',
      { class: 'claude-chat-search', role: 'search', hidden: true },
      this.input,
      this.count,
      iconButton('left', 'Match before', () => this.go(-1)),
      iconButton('right', 'Match after', () => this.go(1)),
      iconButton('close', 'Close the search', () => this.close())
    );
    this.element.addEventListener('keydown', event => {
      if (event.key === 'Enter') {
        this.go(event.shiftKey ? -1 : 1);
      } else if (event.key === 'Escape') {
        this.close();
      }
      event.stopPropagation();
    });
    this.undo = conversation.on('items', () => this.element.hidden || this.search(this.at));
  }

  dispose(): void {
    this.undo();
    CSS.highlights?.delete(NAME);
  }

  open(): void {
    this.element.hidden = false;
    this.list.showEarlier(); // what is not here cannot be found
    this.input.focus();
    this.input.select();
    this.search();
  }

  private close(): void {
    this.element.hidden = true;
    this.mark([]);
    this.closed();
  }

  private search(at = -1): void {
    const words = this.input.value.trim().toLowerCase();
    const found: Range[] = [];
    if (words !== '') {
      for (const item of this.conversation.items) {
        const turn = this.list.elementOf(item);
        if (turn) {
          turn.querySelectorAll('.claude-chat-prompt, .claude-chat-text').forEach(part => {
            found.push(...rangesOf(part, words));
          });
        }
      }
      if (this.conversation.earlier > 0) {
        this.list.showEarlier();
      }
    }
    this.found = found;
    this.at = Math.min(at, found.length - 1);
    this.mark(found);
    this.show();
    if (at < 0 && found.length > 0) {
      this.at = found.length; // from the end: what was said last is nearest
      this.go(-1);
    }
  }

  private go(step: number): void {
    const { length } = this.found;
    if (length === 0) {
      return;
    }
    this.at = (this.at + step + length) % length;
    const parent = this.found[this.at]!.startContainer.parentElement;
    parent?.scrollIntoView({ block: 'center' });
    this.show();
  }

  private show(): void {
    const { length } = this.found;
    const none = this.input.value.trim() === '' ? '' : 'none';
    this.count.textContent = length === 0 ? none : `${this.at + 1} of ${length}`;
  }

  private mark(found: Range[]): void {
    if (found.length > 0 && typeof Highlight !== 'undefined') {
      CSS.highlights.set(NAME, new Highlight(...found));
    } else {
      CSS.highlights?.delete(NAME);
    }
  }

  private readonly input: HTMLInputElement;
  private readonly count: HTMLElement;
  private readonly undo: () => void;
  private found: Range[] = [];
  private at = -1;
}

/** Where the words stand in an element, each place within one run of text. */
function rangesOf(part: Element, words: string): Range[] {
  const found: Range[] = [];
  const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = (node as Text).data.toLowerCase();
    for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + words.length);
      found.push(range);
    }
  }
  return found;
}
