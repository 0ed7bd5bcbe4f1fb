/** What an element is made with: attributes, properties that are functions as listeners. */
type Attributes = Record<string, string | boolean | EventListener | undefined>;

type Child = Node | string | null | undefined | false;

/** An element with these attributes (a function listens to that event) and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      made.addEventListener(name, value);
    } else if (typeof value === 'boolean') {
      made.toggleAttribute(name, value);
    } else if (value !== undefined) {
      made.setAttribute(name, value);
    }
  }
  made.append(...children.filter((child): child is Node | string => !!child || child === ''));
  return made;
}

/** The class names that are not false. */
export function classes(...names: (string | false)[]): string {
  return names.filter(name => name !== false).join(' ');
}

const SVG = 'http://www.w3.org/2000/svg';

// Drawn on 24 x 24, as JupyterLab's own.
const ICONS = {
  attach: 'M7 7v9a5 5 0 0 0 10 0V6a3.5 3.5 0 0 0-7 0v9.5a2 2 0 0 0 4 0V7',
  branch: 'M7 4v16M7 13c0-4 10-2 10-7M7 4a1 1 0 1 0 0-.1M17 5a1 1 0 1 0 0-.1',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  dock: 'M4 5h16v14H4zM14 5v14',
  down: 'M12 5v14M6 13l6 6 6-6',
  edit: 'M5 19l1-4L16 5l3 3L9 18zM14 7l3 3',
  insert: 'M4 5h16M4 9h16M12 13v7M8.500 16.500h7',
  left: 'M15 5l-7 7 7 7',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  again: 'M19 12a7 7 0 1 1-2-5M17 3v4h-4',
  replace: 'M4 7h12l-3-3M20 17H8l3 3',
  right: 'M9 5l7 7-7 7',
  run: 'M8 5l11 7-11 7z',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
  send: 'M12 20V5M6 11l6-6 6 6',
  stop: 'M7 7h10v10H7z'
};

export type Icon = keyof typeof ICONS;

/** An icon in the colour of the text around it. */
export function icon(name: Icon): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('claude-chat-icon', `claude-chat-icon-${name}`);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows an icon, and says what it does as a tooltip and to a screen reader. */
export function iconButton(
  name: Icon,
  label: string,
  pressed: (event: Event) => void
): HTMLButtonElement {
  const attributes = {
    'type': 'button',
    'class': 'claude-chat-button',
    'title': label,
    'aria-label': label
  };
  return element('button', { ...attributes, click: pressed }, icon(name));
}

/** A button with words on it. */
export function textButton(label: string, pressed: () => void, kind = ''): HTMLButtonElement {
  const name = classes('claude-chat-text-button', kind !== '' && `claude-chat-${kind}`);
  return element('button', { type: 'button', class: name, click: pressed }, label);
}

/** An id that nobody else has. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

/** Puts text on the clipboard; where that is not allowed, by way of a selection. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element('textarea', { class: 'claude-chat-hidden' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}
