import type { Token } from 'marked';

import { spelled } from './footnotes';
import { blocks, codeOf, markup } from './parse';
import { sanitised } from './sanitise';

/** Makes what stands around a code block, once it is whole. */
export type Decorate = (pre: HTMLElement, code: string, language: string) => void;

/** A text nested deeper, or longer, is shown as it is. */
const LONGEST = 1_000_000;

/**
 * A Markdown text that grows, in an element.
 *
 * A block that another one follows is never touched again; only the last one, the tail, is made
 * anew. So a long reply costs little more than a short one.
 */
export class StreamedMarkdown {
  /** `frozen` is called with each part of the element that will not change any more. */
  constructor(
    readonly element: HTMLElement,
    private readonly decorate: Decorate,
    private readonly frozen: (part: HTMLElement) => void = () => undefined
  ) {
    this.tail = document.createElement('div');
    element.append(this.tail);
  }

  /** Show this text, of which what was shown before is most often the beginning. */
  show(text: string): void {
    if (text === this.text) {
      return;
    }
    if (!text.startsWith(this.text.slice(0, this.done))) {
      this.element.replaceChildren(this.tail);
      this.done = 0;
    }
    this.text = text;
    this.render(false);
  }

  /** Show the rest: nothing comes any more. */
  finish(text: string): void {
    this.show(text);
    this.render(true);
  }

  private render(whole: boolean): void {
    const rest = this.text.slice(this.done);
    const found = this.text.length > LONGEST ? null : safely(() => blocks(rest));
    if (!found) {
      this.tail.replaceChildren(plain(rest));
      return;
    }
    const last = whole ? found.length : lastBlock(found);
    const over = found.slice(0, last);
    const open = found.slice(last);
    for (const block of over) {
      this.done += block.raw.length;
      if (block.type !== 'space') {
        this.freeze([block]);
      }
    }
    if (!this.grow(open)) {
      this.tail.replaceChildren(this.made(open, false));
    }
  }

  /** Whether the tail is a code block that only grew: then its text grows. */
  private grow(open: Token[]): boolean {
    const [token] = open;
    const fence = open.length === 1 && token?.type === 'code' ? String(token.text) : null;
    const node = this.code;
    if (fence !== null && node?.isConnected && fence.startsWith(node.data)) {
      node.appendData(fence.slice(node.data.length));
      return true;
    }
    if (fence !== null) {
      const pre = document.createElement('pre');
      const code = document.createElement('code');
      this.code = document.createTextNode(fence);
      code.append(this.code);
      pre.append(code);
      this.tail.replaceChildren(pre);
      return true;
    }
    this.code = null;
    return false;
  }

  private freeze(tokens: Token[]): void {
    const part = document.createElement('div');
    part.append(this.made(tokens, true));
    this.tail.before(part);
    this.code = null;
    this.frozen(part);
  }

  private made(tokens: Token[], over: boolean): DocumentFragment {
    const fragment = safely(() => sanitised(markup(tokens)));
    if (!fragment) {
      return plain(tokens.map(token => token.raw).join(''));
    }
    if (over) {
      const code = codeOf(tokens);
      const shown = [...fragment.querySelectorAll('pre')];
      // A formula that may not be typeset stands in a `pre` as well: then they do not match.
      if (shown.length === code.length) {
        shown.forEach((pre, n) => this.decorate(pre, code[n]!.code, code[n]!.language));
      }
    }
    return fragment;
  }

  private text = '';
  /** How many characters of the text stand in parts that are frozen. */
  private done = 0;
  private readonly tail: HTMLElement;
  /** The text of the code block that the tail is, if it is one. */
  private code: Text | null = null;
}

/** The index of the block that more text could still change. */
function lastBlock(found: Token[]): number {
  let last = found.length - 1;
  while (last > 0 && found[last]!.type === 'space') {
    last -= 1;
  }
  return Math.max(0, last);
}

function plain(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const pre = document.createElement('pre');
  pre.textContent = spelled(text);
  fragment.append(pre);
  return fragment;
}

function safely<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null; // whatever goes wrong in there, the reply must be seen, and is
  }
}
