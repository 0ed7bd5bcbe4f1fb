import { element } from './dom';

export interface IMenuEntry {
  label: string;
  chosen: () => void;
}

/** A menu under the button that opened it; arrows, Escape and a click elsewhere do as everywhere. */
export function openMenu(button: HTMLElement, entries: readonly IMenuEntry[]): void {
  const menu = element('div', { class: 'claude-chat-menu', role: 'menu' });
  const items = entries.map(({ label, chosen }) =>
    element(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        class: 'claude-chat-menu-item',
        click: () => {
          close();
          chosen();
        }
      },
      label
    )
  );
  menu.append(...items);

  const close = (): void => {
    menu.remove();
    button.setAttribute('aria-expanded', 'false');
    document.removeEventListener('pointerdown', elsewhere, true);
    button.focus();
  };
  const elsewhere = (event: Event): void => {
    if (!menu.contains(event.target as Node)) {
      close();
    }
  };
  menu.addEventListener('keydown', event => {
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) {
      items[(to + items.length) % items.length]?.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener('pointerdown', elsewhere, true);

  button.setAttribute('aria-haspopup', 'menu');
  button.setAttribute('aria-expanded', 'true');
  const panel = button.closest<HTMLElement>('.claude-chat') ?? document.body;
  panel.append(menu);
  place(menu, button, panel);
  items[0]?.focus();
}

/** Under the button, within the panel. */
function place(menu: HTMLElement, button: HTMLElement, panel: HTMLElement): void {
  const outer = panel.getBoundingClientRect();
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.min(at.right - outer.left - width, outer.width - width - 4);
  const below = at.bottom - outer.top + 4;
  const fits = below + height <= outer.height;
  menu.style.left = `${Math.max(4, left)}px`;
  menu.style.top = `${fits ? below : Math.max(4, at.top - outer.top - height - 4)}px`;
}
