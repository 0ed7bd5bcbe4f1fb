import { element } from './elements/dom';
import type { Decorate } from './markdown/streamed';
import { StreamedMarkdown } from './markdown/streamed';
import { safeImage } from './protocol';
import type { IPanelPart } from './protocol';

/** The parts of one reply, each in an element of its own. */
export class ReplyView {
  readonly element = element('div', { class: 'claude-chat-reply' });

  constructor(
    private readonly decorate: Decorate,
    private readonly frozen: (part: HTMLElement) => void
  ) {}

  /** Show these parts; with `over` nothing more comes of any of them. */
  show(parts: readonly IPanelPart[], over: boolean, changed?: readonly number[]): void {
    while (this.parts.length > parts.length) {
      this.parts.pop()!.element.remove();
    }
    parts.forEach((part, number) => {
      const held = this.parts[number];
      if (held && held.kind === part.kind) {
        // A part that another one follows is over.
        const isOver = over || number < parts.length - 1;
        if (isOver || !changed || changed.includes(number)) {
          held.show(part, isOver);
        }
        return;
      }
      const made = this.made(part);
      if (held) {
        held.element.replaceWith(made.element);
      } else {
        this.element.append(made.element);
      }
      this.parts[number] = made;
      made.show(part, over || number < parts.length - 1);
    });
  }

  private made(part: IPanelPart): IPartView {
    switch (part.kind) {
      case 'text':
        return new TextView(this.decorate, this.frozen);
      case 'thinking':
        return new ThinkingView();
      case 'call':
        return new CallView();
      case 'server':
        return new ServerView();
      case 'sources':
        return new SourcesView();
    }
  }

  private readonly parts: IPartView[] = [];
}

interface IPartView {
  readonly kind: IPanelPart['kind'];
  readonly element: HTMLElement;
  show(part: IPanelPart, over: boolean): void;
}

class TextView implements IPartView {
  readonly kind = 'text';
  readonly element = element('div', { class: 'claude-chat-text jp-RenderedHTMLCommon' });

  constructor(decorate: Decorate, frozen: (part: HTMLElement) => void) {
    this.markdown = new StreamedMarkdown(this.element, decorate, frozen);
  }

  show({ text }: IPanelPart, over: boolean): void {
    if (over && !this.over) {
      this.markdown.finish(text);
    } else {
      this.markdown.show(text);
    }
    this.over = over;
  }

  private readonly markdown: StreamedMarkdown;
  private over = false;
}

/** A folded text, made only when it is opened. */
class Fold {
  readonly element: HTMLDetailsElement;
  readonly summary = element('summary');

  constructor(name: string) {
    this.body = element('div', { class: 'claude-chat-fold-body' });
    this.element = element(
      'details',
      { class: name, toggle: () => this.fill() },
      this.summary,
      this.body
    );
  }

  set text(text: string) {
    this.held = text;
    this.fill();
  }

  private fill(): void {
    if (this.element.open && this.body.textContent !== this.held) {
      this.body.textContent = this.held;
    }
  }

  private held = '';
  private readonly body: HTMLElement;
}

class ThinkingView implements IPartView {
  readonly kind = 'thinking';

  get element(): HTMLElement {
    return this.fold.element;
  }

  show({ text }: IPanelPart, over: boolean): void {
    this.fold.summary.textContent = over ? 'Thought' : 'Thinking…';
    this.fold.text = text;
  }

  private readonly fold = new Fold('claude-chat-fold');
}

const STATES = {
  asked: 'wanted',
  running: 'running',
  done: 'done',
  denied: 'denied',
  failed: 'failed'
};

class CallView implements IPartView {
  readonly kind = 'call';
  readonly element = element('div', { class: 'claude-chat-call' });

  constructor() {
    this.images = element('div', { class: 'claude-chat-images' });
    this.element.append(this.fold.element, this.images);
  }

  show({ name, text, state, seconds, result, images = [] }: IPanelPart): void {
    const time = seconds === undefined ? '' : ` · ${seconds.toFixed(1)} s`;
    this.fold.summary.textContent = `${name} · ${STATES[state ?? 'asked']}${time}`;
    this.fold.element.classList.toggle('claude-chat-failed', state === 'failed');
    this.fold.text = result ? `${text}\n\n${result}` : text;
    const shown = images.map(safeImage).filter(src => src !== '');
    if (shown.length !== this.images.childElementCount) {
      this.images.replaceChildren(
        ...shown.map(src => element('img', { src, alt: `Shown by ${name}` }))
      );
    }
    this.images.hidden = shown.length === 0;
  }

  private readonly fold = new Fold('claude-chat-fold');
  private readonly images: HTMLElement;
}

/** What the server did: a line, and below it, made only when it is opened, what came of it. */
class ServerView implements IPartView {
  readonly kind = 'server';
  readonly element: HTMLDetailsElement;

  constructor() {
    this.element = element(
      'details',
      { class: 'claude-chat-fold', toggle: () => this.fill() },
      this.summary,
      this.body
    );
  }

  show({ text, state, result = '' }: IPanelPart): void {
    this.summary.textContent = text;
    this.element.classList.toggle('claude-chat-failed', state === 'failed');
    this.held = result;
    this.fill();
  }

  private fill(): void {
    if (this.element.open) {
      this.markdown ??= new StreamedMarkdown(this.body, () => undefined);
      this.markdown.finish(this.held);
    }
  }

  private held = '';
  private markdown: StreamedMarkdown | null = null;
  private readonly summary = element('summary');
  private readonly body = element('div', {
    class: 'claude-chat-fold-body claude-chat-fold-markdown jp-RenderedHTMLCommon'
  });
}

/** The sources that the numbers in the text stand for. */
class SourcesView implements IPartView {
  readonly kind = 'sources';
  readonly element = element('div', { class: 'claude-chat-sources' });

  show({ text }: IPanelPart): void {
    this.markdown.finish(text);
  }

  private readonly markdown = new StreamedMarkdown(this.element, () => undefined);
}
