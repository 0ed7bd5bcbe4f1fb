/**
 * Numbers of footnotes in a reply's text, by the rules of `claude_magic/rendering/markdown.py`.
 *
 * The kernel marks where a source is cited, with two code points that no text of a reply holds: so
 * a reply cannot write a number itself.
 */

import type { MarkedExtension } from 'marked';
import { Tokenizer } from 'marked';

const BEGINS = '\u207d\ufdd0';
const MARK = /^\u207d\ufdd0(\d+)\ufdd1\u207e/;
const MARKS = /\u207d\ufdd0(\d+)\ufdd1\u207e/g;
/** As the parser writes a mark into an address that it ended up in. */
const IN_ADDRESS = /%E2%81%BD%EF%B7%90\d+%EF%B7%91%E2%81%BE/gi;

/** The text with its marks as they are read: `[1]`. */
export function spelled(text: string): string {
  return text.replace(MARKS, '[$1]');
}

/** An address without the marks that ended up in it. */
export function unmarked(address: string): string {
  return address.replace(MARKS, '').replace(IN_ADDRESS, '');
}

/** Has marked read the marks, and end a bare address before one. */
export const footnotes: MarkedExtension = {
  extensions: [
    {
      name: 'footnote',
      level: 'inline',
      start: (source: string) => {
        const at = source.indexOf(BEGINS);
        return at < 0 ? undefined : at;
      },
      tokenizer(source: string) {
        const found = MARK.exec(source);
        return found ? { type: 'footnote', raw: found[0], number: found[1] } : undefined;
      },
      renderer: token => `<span class="claude-chat-footnote">[${String(token.number)}]</span>`
    }
  ],
  tokenizer: {
    url(source: string) {
      const at = source.indexOf(BEGINS);
      return at > 0 ? Tokenizer.prototype.url.call(this, source.slice(0, at)) : false;
    }
  }
};
