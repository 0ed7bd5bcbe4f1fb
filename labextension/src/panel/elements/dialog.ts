import { element, iconButton } from './dom';

/** Shows something over the panel until it is closed: by its button, Escape, or a click beside it. */
export function openDialog(panel: HTMLElement, title: string, content: HTMLElement): void {
  const before = document.activeElement as HTMLElement | null;
  const dialog = element('dialog', { 'class': 'claude-chat-dialog', 'aria-label': title });
  const head = element('div', { class: 'claude-chat-dialog-head' }, element('span', {}, title));
  head.append(iconButton('close', 'Close', () => dialog.close()));
  dialog.append(head, content);
  dialog.addEventListener('close', () => {
    dialog.remove();
    before?.focus();
  });
  dialog.addEventListener('click', event => {
    if (event.target === dialog) {
      dialog.close();
    }
  });
  // JupyterLab would take Escape and letters for its own.
  dialog.addEventListener('keydown', event => event.stopPropagation());
  panel.append(dialog);
  dialog.showModal();
}
