/**
 * The last barrier: whatever the parser made of a reply, of that only this is shown.
 *
 * No image, no style, no script, no form, no `data-`, no id. Links lead to the web or to a mail
 * program, in a new tab that knows nothing of this one. Classes are those of our own typesetter and
 * highlighter.
 */

import DOMPurify from 'dompurify';
import type { Config } from 'dompurify';

const HTML =
  'a blockquote br code del div em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong table tbody td' +
  ' th thead tr ul';
const MATHML =
  'math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot' +
  ' mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none';
const MATHML_ATTRIBUTES =
  'accent accentunder columnalign columnlines columnspan depth display displaystyle fence form' +
  ' frame height largeop linethickness lspace mathvariant maxsize minsize movablelimits notation' +
  ' rowlines rowspan rspace scriptlevel separator stretchy symmetric voffset width';

const CONFIG: Config & { RETURN_DOM_FRAGMENT: true } = {
  ALLOWED_TAGS: `${HTML} ${MATHML}`.split(' '),
  ALLOWED_ATTR: `class href start align style ${MATHML_ATTRIBUTES}`.split(' '),
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  FORBID_CONTENTS: ['script', 'style', 'template', 'iframe', 'noscript', 'svg'],
  SANITIZE_NAMED_PROPS: true,
  RETURN_DOM_FRAGMENT: true
};
const CLASS =
  /^(?:claude-chat-footnote|hljs[\w-]*|tml-[\w-]+|chr-[\w-]+|wbk-[\w-]+|mathcal|mathscr|(?:up|down)strike)$/;
const LINK = /^(?:https?:\/\/[^/?#\s]|mailto:[^\s])/i;
const ALIGN = new Set(['left', 'center', 'right']);
/** The one thing that the typesetter says by style and that counts: how far cells stand apart. */
const PADDING = /padding-(left|right):(\d)/g;

const purifier = DOMPurify(window);
purifier.addHook('uponSanitizeAttribute', (element, attribute) => {
  const { attrName, attrValue } = attribute;
  if (attrName === 'class') {
    attribute.attrValue = attrValue
      .split(/\s+/)
      .filter(name => CLASS.test(name))
      .join(' ');
    attribute.keepAttr = attribute.attrValue !== '';
  } else if (attrName === 'style') {
    attribute.keepAttr = false;
  } else if (attrName === 'align') {
    attribute.keepAttr = ALIGN.has(attrValue);
  } else if (attrName === 'href') {
    attribute.keepAttr = element.localName === 'a' && LINK.test(attrValue);
  } else if (attrName === 'start') {
    attribute.keepAttr = /^\d{1,9}$/.test(attrValue);
  }
});
purifier.addHook('beforeSanitizeAttributes', element => {
  if (element.localName === 'mtd') {
    const said = element.getAttribute('style') ?? '';
    for (const [, side, size] of said.matchAll(PADDING)) {
      element.classList.add(`tml-${side}-${size}`);
    }
  }
});
purifier.addHook('afterSanitizeAttributes', element => {
  if (element.localName === 'a' && element.hasAttribute('href')) {
    element.setAttribute('target', '_blank');
    element.setAttribute('rel', 'noopener noreferrer');
  }
});

/** Nodes to show of markup. */
export function sanitised(markup: string): DocumentFragment {
  return purifier.sanitize(markup, CONFIG);
}
