import { copy, element, iconButton } from './elements/dom';
import type { IHost } from './host';

const PYTHON = new Set(['', 'python', 'py', 'python3', 'ipython', 'ipython3']);

/** Puts the buttons of a code block over its corner: they take no place of their own. */
export function decorateCode(
  pre: HTMLElement,
  code: string,
  language: string,
  host: IHost,
  say: (words: string) => void
): void {
  const box = element('div', { class: 'claude-chat-code' });
  const bar = element('div', { class: 'claude-chat-code-bar', role: 'toolbar' });
  const named = language === '' ? 'code' : `${language} code`;
  bar.setAttribute('aria-label', `Actions for this ${named}`);
  bar.append(
    iconButton('copy', 'Copy', () => {
      void copy(code).then(() => say('Copied'));
    })
  );
  const { insertBelow, replaceCell, run } = host;
  if (insertBelow) {
    bar.append(
      iconButton('insert', 'Insert into a new cell below', () => {
        insertBelow.call(host, code);
        say('Inserted below');
      })
    );
  }
  if (replaceCell) {
    bar.append(
      iconButton('replace', 'Replace the active cell', () => {
        replaceCell.call(host, code);
        say('Cell replaced');
      })
    );
  }
  if (run && PYTHON.has(language)) {
    bar.append(
      iconButton('run', 'Run in a new cell below', () => {
        run.call(host, code);
        say('Running below');
      })
    );
  }
  pre.tabIndex = 0; // long lines scroll, also by keyboard
  pre.setAttribute('role', 'region');
  pre.setAttribute('aria-label', named);
  pre.replaceWith(box);
  box.append(pre, bar);
}
