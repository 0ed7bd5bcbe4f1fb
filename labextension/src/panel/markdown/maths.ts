/**
 * Which parts of a reply are maths, by the rules of `claude_magic/rendering/markdown.py`.
 *
 * A formula is `$..$`, `$$..$$`, `\(..\)`, `\[..\]`, or an environment such as `align` that stands
 * as a paragraph of its own. None goes past a blank line.
 */

import type { MarkedExtension, Tokens } from 'marked';
import temml from 'temml';

const MAX_FORMULA = 5_000;
const MAX_LINES = 100;
const MAX_BRACES = 40;
/** So many formulas are kept: the tail of a reply is shown again and again. */
const MOST_KEPT = 500;

// `$5 to $10` is money: no space right inside, no digit right after.
const INLINE: [mark: string, pattern: RegExp][] = [
  ['$$', /^\$\$(?!\$)((?:\\[^`]|\$(?!\$)|[^\\$`])+)\$\$(?!\$)/],
  ['$', /^\$(?![\s$])((?:\\[^`]|[^\\$`])+)(?<!\s)\$(?![0-9A-Z$])/],
  ['\\(', /^\\\(((?:\\[^)`]|[^\\`])+)\\\)/],
  ['\\[', /^\\\[((?:\\[^\]`]|[^\\`])+)\\\](?![([:])/]
];
// Where one can begin: nothing like `US$` before it.
const BEGINS = /(?<![A-Za-z0-9$\\])\$|\\[([]/;

const ENVIRONMENTS =
  'align|aligned|alignat|alignedat|array|cases|eqnarray|equation|flalign|gather|gathered' +
  '|multline|split|[pbvBV]?matrix|smallmatrix|CD';
const OPENER = new RegExp(
  `^ {0,3}(\\$\\$(?!\\$)|\\\\\\[|\\\\begin\\{((?:${ENVIRONMENTS})\\*?)\\})`
);
const BLOCK_BEGINS = /\n {0,3}(?:\$\$|\\\[|\\begin\{)/;

// Commands by which a formula leaves mathematics: links, classes, styles and ids on the page,
// definitions, which can grow without end.
const FORBIDDEN = new RegExp(
  '\\\\(?:(?:href|url|require|class|style|cssId|data|unicode|bbox|includegraphics|usepackage' +
    '|[gex]?def|let|futurelet|csname|catcode|mathchoice|toggle|mathtip|texttip|action|enclose' +
    '|ref|eqref|definecolor|input|include)(?![A-Za-z])' +
    '|(?:html|css|mml|new|New|renew|Renew|provide|Provide|Declare)[A-Za-z]*)'
);
const ACTIVE = /[a-z]+:\/\/|\burl\s*\(|\b(?:javascript|vbscript|data)\s*:/i;
const LABEL = /(?<!\\)((?:\\\\)*)\\label\s*\{[^{}]*\}/g;

interface IMaths extends Tokens.Generic {
  tex: string;
  display: boolean;
}

/** What teaches the parser maths; `show` makes the markup of a formula. */
export const maths: MarkedExtension = {
  extensions: [
    {
      name: 'maths_block',
      level: 'block',
      start: src => {
        const found = BLOCK_BEGINS.exec(src);
        return found ? found.index + 1 : undefined;
      },
      tokenizer: src => blockToken(src),
      renderer: token => (token.tex === null ? paragraph(token.raw) : formula(token as IMaths))
    },
    {
      name: 'maths',
      level: 'inline',
      start: src => BEGINS.exec(src)?.index,
      tokenizer: src => inlineToken(src),
      renderer: token => formula(token as IMaths)
    }
  ]
};

function inlineToken(src: string): IMaths | undefined {
  for (const [mark, pattern] of INLINE) {
    const found = src.startsWith(mark) ? pattern.exec(src.slice(0, MAX_FORMULA)) : null;
    if (found?.[1]?.trim()) {
      const display = mark === '$$' || mark === '\\[';
      return { type: 'maths', raw: found[0], tex: found[1], display };
    }
  }
  return undefined;
}

/** A formula on lines of its own; one that the text ends in, as while it streams, is shown as it is. */
function blockToken(src: string): Tokens.Generic | undefined {
  const opener = OPENER.exec(src);
  if (!opener) {
    return undefined;
  }
  const mark = opener[1]!;
  const closer = mark === '$$' ? '$$' : mark === '\\[' ? '\\]' : `\\end{${opener[2]}}`;
  const lines = src.split('\n', MAX_LINES);
  let length = 0;
  let from = opener[0].length;
  for (const [number, line] of lines.entries()) {
    if (number > 0 && line.trim() === '') {
      return undefined;
    }
    const at = line.indexOf(closer, from);
    if (at >= 0) {
      if (line.slice(at + closer.length).trim() !== '') {
        return undefined;
      }
      const raw = src.slice(0, length + line.length + 1);
      const body = src.slice(0, length + at);
      const tex = opener[2] ? body.trimStart() + closer : body.slice(opener[0].length);
      return { type: 'maths_block', raw, tex, display: true };
    }
    from = 0;
    length += line.length + 1;
  }
  const alone = lines[0]!.slice(opener[0].length).trim() === '';
  const ends = length >= src.length;
  return alone && ends ? { type: 'maths_block', raw: src, tex: null } : undefined;
}

/** The markup of a formula: MathML, or code where it may not be typeset. */
function formula({ tex, display, raw }: IMaths): string {
  if (!mayBeTypeset(tex)) {
    return display
      ? `<pre><code>${escaped(raw.trim())}</code></pre>`
      : `<code>${escaped(raw)}</code>`;
  }
  const key = `${display ? 'd' : 'i'}${tex}`;
  let made = kept.get(key);
  if (made === undefined) {
    made = temml.renderToString(tex.replace(LABEL, '$1').trim(), {
      displayMode: display,
      throwOnError: false,
      trust: false,
      maxExpand: 500,
      maxSize: [20, 20]
    });
    if (kept.size >= MOST_KEPT) {
      kept.clear();
    }
    kept.set(key, made);
  }
  return display ? `<div>${made}</div>` : made;
}

const kept = new Map<string, string>();

/** Whether a formula may be handed to the typesetter; else it is shown as code. */
export function mayBeTypeset(tex: string): boolean {
  return (
    tex.length <= MAX_FORMULA &&
    tex.trim() !== '' &&
    isClosed(tex) &&
    !tex.includes('`') &&
    !FORBIDDEN.test(tex) &&
    !ACTIVE.test(tex)
  );
}

/** Whether braces match and no other end is in it. */
function isClosed(tex: string): boolean {
  let depth = 0;
  for (const [part] of tex.matchAll(/\\[^]|[{}]/g)) {
    depth += Number(part === '{') - Number(part === '}');
    if (depth < 0 || depth > MAX_BRACES || ['\\(', '\\)', '\\[', '\\]'].includes(part)) {
      return false;
    }
  }
  return depth === 0;
}

function paragraph(raw: string): string {
  return `<p>${escaped(raw)}</p>`;
}

/** Text as the content of an element. */
export function escaped(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
