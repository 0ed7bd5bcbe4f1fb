import type { Conversation } from './conversation';
import { element, iconButton } from './elements/dom';
import type { IMenuEntry } from './elements/menu';
import { openMenu } from './elements/menu';
import type { IStateMessage } from './protocol';

/** The line at the top: the notebook, the model, what was spent, a menu. */
export class Header {
  readonly element: HTMLElement;

  constructor(
    conversation: Conversation,
    entries: () => IMenuEntry[],
    search: () => void,
    dock: (() => void) | undefined
  ) {
    this.title = element('span', { class: 'claude-chat-title' });
    this.models = element('select', { 'aria-label': 'Model', 'change': () => this.showPrice() });
    this.spent = element('span', { class: 'claude-chat-line claude-chat-spent' });
    this.server = element('span', { class: 'claude-chat-line claude-chat-server' });
    const aside = dock ? iconButton('dock', 'Show beside the notebook', dock) : null;
    aside?.classList.add('claude-chat-aside');
    const more = iconButton('more', 'More', () => openMenu(more, entries()));
    this.element = element(
      'div',
      { class: 'claude-chat-header' },
      this.title,
      this.models,
      this.server,
      this.spent,
      iconButton('search', 'Search', search),
      aside,
      more
    );
    this.undo = conversation.on('state', state => this.show(state));
    if (conversation.state) {
      this.show(conversation.state);
    }
  }

  dispose(): void {
    this.undo();
  }

  /** The model that the user has chosen here, '' for the one that the notebook is set to. */
  get model(): string {
    return this.models.value === this.set ? '' : this.models.value;
  }

  /** The notebook's name as the front end knows it: the kernel learns later of another one. */
  set name(name: string) {
    this.named = name;
    this.showTitle(this.title.title);
  }

  private showTitle(told: string): void {
    const title = this.named || told;
    this.title.textContent = title || 'Claude';
    this.title.title = title;
  }

  private show(state: IStateMessage): void {
    this.showTitle(state.title);
    this.spent.textContent = state.spent;
    this.spent.title = state.detail;
    this.server.textContent = state.server;
    this.server.title = state.server;
    const chosen = this.model;
    this.set = state.model;
    const known = state.models.some(({ model }) => model === state.model);
    const own = { model: state.model, name: state.model, price: '' };
    const choices = known ? state.models : [own, ...state.models];
    this.models.replaceChildren(
      ...choices.map(({ model, name, price }) =>
        element('option', { value: model, title: price }, name)
      )
    );
    const isThere = choices.some(({ model }) => model === chosen);
    this.models.value = isThere ? chosen : state.model;
    this.showPrice();
  }

  private showPrice(): void {
    const price = this.models.selectedOptions[0]?.title ?? '';
    this.models.title = price === '' ? 'Model' : `Model: ${price}`;
  }

  private readonly title: HTMLElement;
  private readonly models: HTMLSelectElement;
  private readonly spent: HTMLElement;
  private readonly server: HTMLElement;
  private readonly undo: () => void;
  private set = '';
  private named = '';
}
