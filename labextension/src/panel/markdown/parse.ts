import { Marked } from 'marked';
import type { Token, Tokens } from 'marked';

import { footnotes, spelled, unmarked } from './footnotes';
import { highlighted, languageOf } from './highlight';
import { escaped, maths } from './maths';

const SAFE_LINK = /^(?:https?:\/\/[^/?#\s]|mailto:[^\s])/i;

/** The parser of replies: CommonMark, tables, strikethrough, bare links, maths, no HTML. */
const parser = new Marked({ gfm: true, async: false });
parser.use(maths, footnotes, {
  tokenizer: {
    // HTML is text.
    html: () => undefined,
    tag: () => undefined
  },
  renderer: {
    html: ({ text }) => escaped(text),
    image: ({ href, text }) => escaped(imageText(unmarked(href), spelled(text))),
    link({ href: marked, tokens }) {
      const inside = this.parser.parseInline(tokens);
      const href = unmarked(marked);
      return SAFE_LINK.test(href) ? `<a href="${escaped(href)}">${inside}</a>` : inside;
    },
    code: ({ text, lang }) =>
      `<pre><code>${highlighted(spelled(text), languageOf(lang))}</code></pre>\n`,
    codespan: ({ text }) => `<code>${escaped(spelled(text))}</code>`,
    checkbox: ({ checked }) => (checked ? '[x] ' : '[ ] '),
    tablecell({ tokens, header, align }) {
      const tag = header ? 'th' : 'td';
      const side = align ? ` align="${align}"` : '';
      return `<${tag}${side}>${this.parser.parseInline(tokens)}</${tag}>\n`;
    }
  }
});

/** The blocks of a text, spaces between them as blocks of their own. */
export function blocks(text: string): Token[] {
  return parser.lexer(text);
}

/** The markup of some blocks. It is to go through `sanitised`. */
export function markup(tokens: Token[]): string {
  return parser.parser(tokens);
}

/** The code blocks within some blocks, in the order in which `<pre>` elements stand for them. */
export function codeOf(tokens: Token[]): { code: string; language: string }[] {
  const found: { code: string; language: string }[] = [];
  void parser.walkTokens(tokens, token => {
    if (token.type === 'code') {
      const { text, lang } = token as Tokens.Code;
      found.push({ code: spelled(text), language: languageOf(lang) });
    }
  });
  return found;
}

/** What stands for an image, which is never fetched. */
function imageText(source: string, alt: string): string {
  const shown = alt.split(/\s+/).join(' ').trim();
  const parts = ['[image:', shown, shown && source ? `(${source})` : source];
  return `${parts.filter(part => part !== '').join(' ')}]`;
}
