import { classes, copy, element, iconButton, textButton } from './elements/dom';
import type { IItem } from './conversation';
import type { Decorate } from './markdown/streamed';
import { spelled } from './markdown/footnotes';
import type { IMenuEntry } from './elements/menu';
import { openMenu } from './elements/menu';
import type { IPanelApproval, PanelMessage } from './protocol';
import { safeImage } from './protocol';
import { ReplyView } from './reply';

/** What can be done with a question; the panel knows how. */
export interface ITurnActions {
  readonly decorate: Decorate;
  readonly canReveal: boolean;
  readonly canRunCell: boolean;
  reveal(cell: string): void;
  runCell(cell: string): void;
  edit(item: IItem): void;
  again(item: IItem): void;
  branch(item: IItem): void;
  forget(item: IItem): void;
  send(message: PanelMessage): void;
  /** Goes back to where a question is written: what had the focus is gone. */
  focus(): void;
  picture(item: IItem, index: number): void;
  /** Tells the user something in passing. */
  say(words: string): void;
  /** A part of a reply is whole: it is read out. */
  readOut(part: HTMLElement): void;
}

/** One question and its reply. */
export class TurnView {
  readonly element = element('article', { class: 'claude-chat-turn' });

  constructor(
    private item: IItem,
    private readonly actions: ITurnActions
  ) {
    this.reply = new ReplyView(actions.decorate, part => {
      if (this.isReadOut) {
        actions.readOut(part);
      }
    });
    this.question = element('div', { class: 'claude-chat-question' });
    this.above = element('div', { class: 'claude-chat-line' });
    this.notices = element('div');
    this.approvals = element('div');
    this.below = element('div', { class: 'claude-chat-line claude-chat-below' });
    this.element.append(
      this.question,
      this.above,
      this.notices,
      this.reply.element,
      this.approvals,
      this.below
    );
    this.isReadOut = item.status === 'live';
    this.update(item);
    this.showParts(item);
  }

  /** Show the parts of the reply, of which these have changed. */
  showParts(item: IItem, changed?: readonly number[]): void {
    this.reply.show(item.parts, item.status !== 'live', changed);
    this.showBelow();
  }

  /** Show all but the parts of the reply. */
  update(item: IItem): void {
    this.item = item;
    const { asked, status } = item;
    const isLive = status === 'live';
    this.element.classList.toggle('claude-chat-live', isLive);
    this.element.setAttribute('aria-busy', String(isLive));
    this.element.setAttribute('aria-label', `Question: ${asked.prompt.slice(0, 80)}`);
    this.showQuestion();
    this.above.textContent = asked.above;
    this.above.hidden = asked.above === '';
    this.notices.replaceChildren(
      ...asked.notices.map(said => element('div', { class: 'claude-chat-line' }, said))
    );
    this.showApprovals();
    this.showBelow();
    this.isReadOut &&= isLive; // its last part came before this
  }

  private showQuestion(): void {
    const { asked } = this.item;
    const shown = JSON.stringify([asked, this.item.versions, this.item.status, this.item.turn]);
    if (shown === this.shown) {
      return; // what has the focus stays
    }
    this.shown = shown;
    const head = element('div', { class: 'claude-chat-question-head' });
    head.append(this.place(), this.versions() ?? '', this.toolbar());
    const images = element('div', { class: 'claude-chat-images' });
    asked.images.forEach((image, index) =>
      images.append(this.image(image.src, image.label, index))
    );
    images.hidden = asked.images.length === 0;
    const prompt = element('div', { class: 'claude-chat-prompt', tabindex: '-1' }, asked.prompt);
    this.question.replaceChildren(head, prompt, images);
  }

  /** Where it was asked, as a link to the cell. */
  private place(): HTMLElement {
    const { cell, panel, place } = this.item.asked;
    const words = panel ? 'You' : place || 'cell';
    if (cell === '' || !this.actions.canReveal) {
      return element('span', { class: 'claude-chat-place' }, words);
    }
    const attributes = {
      type: 'button',
      class: 'claude-chat-place claude-chat-link',
      title: panel ? `Stands below ${place || 'this cell'}: go there` : 'Go to the cell',
      click: () => this.actions.reveal(cell)
    };
    return element('button', attributes, panel && place ? `You, below ${place}` : words);
  }

  private versions(): HTMLElement | null {
    const { versions, turn } = this.item;
    const at = versions.indexOf(turn);
    if (versions.length < 2 || at < 0) {
      return null;
    }
    const go = (to: number): void => {
      this.actions.send({ type: 'switch', turn: versions[to]! });
    };
    const before = iconButton('left', 'Version before', () => go(at - 1));
    const after = iconButton('right', 'Version after', () => go(at + 1));
    before.disabled = at === 0;
    after.disabled = at === versions.length - 1;
    const words = element('span', { class: 'claude-chat-line' }, `${at + 1} / ${versions.length}`);
    return element('span', { class: 'claude-chat-versions' }, before, words, after);
  }

  private toolbar(): HTMLElement {
    const { item, actions } = this;
    const bar = element('div', { class: 'claude-chat-actions', role: 'toolbar' });
    bar.setAttribute('aria-label', 'Actions for this question');
    if (item.status === 'live') {
      return bar;
    }
    const { cell, panel } = item.asked;
    if (panel || item.status === 'failed') {
      bar.append(iconButton('edit', 'Edit the question', () => actions.edit(item)));
      bar.append(iconButton('again', 'Ask again', () => actions.again(item)));
    } else if (actions.canRunCell) {
      bar.append(iconButton('again', 'Run the cell again', () => actions.runCell(cell)));
    }
    const more = iconButton('more', 'More', () => openMenu(more, this.entries()));
    bar.append(more);
    return bar;
  }

  private entries(): IMenuEntry[] {
    const { item, actions } = this;
    const copyReply = (): void => {
      const texts = item.parts.filter(part => part.kind === 'text').map(part => part.text);
      void copy(spelled(texts.join('\n\n'))).then(() => actions.say('Copied'));
    };
    const entries = [{ label: 'Copy the answer', chosen: copyReply }];
    if (item.turn === '') {
      return [...entries, { label: 'Take away', chosen: () => actions.forget(item) }];
    }
    const { turn } = item;
    return [
      ...entries,
      { label: 'Branch off here', chosen: () => actions.branch(item) },
      { label: 'What was sent', chosen: () => actions.send({ type: 'sent', turn }) },
      {
        label: 'Take out of the conversation',
        chosen: () => actions.send({ type: 'remove', turn })
      }
    ];
  }

  private image(src: string, label: string, index: number): HTMLElement {
    const safe = safeImage(src);
    const inside = safe
      ? element('img', { src: safe, alt: label })
      : element('span', { class: 'claude-chat-line' }, label);
    const attributes = {
      'type': 'button',
      'class': 'claude-chat-thumbnail',
      'title': `${label}: show it as it was sent`,
      'aria-label': `${label}: show it as it was sent`,
      'disabled': this.item.turn === '',
      'click': () => this.actions.picture(this.item, index)
    };
    return element('button', attributes, inside);
  }

  private showApprovals(): void {
    const ids = this.item.approvals.map(({ approval }) => approval).join();
    if (ids !== this.waiting) {
      this.waiting = ids;
      const hadFocus = this.approvals.contains(document.activeElement);
      this.approvals.replaceChildren(
        ...this.item.approvals.map(approval => this.approval(approval))
      );
      if (hadFocus) {
        (this.approvals.querySelector('button') ?? this.actions).focus();
      }
    }
  }

  /** The exact call, as text, and the question in words of our own. */
  private approval({ approval, text, lasting }: IPanelApproval): HTMLElement {
    const reason = element('input', {
      'type': 'text',
      'class': 'claude-chat-reason',
      'placeholder': 'Why not (optional)',
      'aria-label': 'Reason for not allowing it'
    });
    let isDecided = false;
    const decide = (answer: 'once' | 'always' | 'deny'): void => {
      if (!isDecided) {
        isDecided = true; // the buttons stay until the kernel has heard it
        this.actions.send({ type: 'decide', approval, answer, reason: reason.value });
      }
    };
    return element(
      'div',
      {
        'class': 'claude-chat-approval',
        'role': 'group',
        'aria-label': 'A tool waits for your word'
      },
      element('div', { class: 'claude-chat-approval-title' }, 'Allow this call?'),
      element('pre', { 'tabindex': '0', 'aria-label': 'The call' }, text),
      element(
        'div',
        { class: 'claude-chat-row' },
        textButton('Allow', () => decide('once'), 'primary'),
        textButton(lasting ? 'Always for this tool' : 'Always for this run', () =>
          decide('always')
        ),
        textButton('Deny', () => decide('deny')),
        reason
      )
    );
  }

  private showBelow(): void {
    const { item } = this;
    const isLive = item.status === 'live';
    const words = isLive ? this.doing() : item.error || item.below;
    if (this.below.textContent !== words) {
      this.below.textContent = words;
    }
    this.below.className = classes(
      'claude-chat-line claude-chat-below',
      item.error !== '' && 'claude-chat-error',
      isLive && 'claude-chat-doing'
    );
    this.below.title = item.detail;
  }

  /** What is happening: while the text itself shows it, nothing. */
  private doing(): string {
    const { parts, doing } = this.item;
    const last = parts[parts.length - 1];
    return last?.kind === 'text' && last.text !== '' ? 'writing' : doing;
  }

  private readonly reply: ReplyView;
  private readonly question: HTMLElement;
  private readonly above: HTMLElement;
  private readonly notices: HTMLElement;
  private readonly approvals: HTMLElement;
  private readonly below: HTMLElement;
  /** Whether what comes is new, and not a turn of before. */
  private isReadOut = false;
  private shown = '';
  private waiting = '';
}
