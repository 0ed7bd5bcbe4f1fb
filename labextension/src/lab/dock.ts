import type { NotebookPanel } from '@jupyterlab/notebook';
import { Panel as Box, StackedLayout, Widget } from '@lumino/widgets';

import type { Panel } from '../panel/panel';
import { KernelPanel, NoPanel } from './kernelPanel';
import type { ICaption } from './kernelPanel';
import type { Panels } from './panels';

const VIEW = 'application/vnd.jupyter.widget-view+json';
const LONGEST_WAIT = 20_000;

/** The panel of one notebook in the side bar: it comes with the kernel and is made anew with it. */
export class DockedPanel extends Box {
  constructor(
    private readonly notebook: NotebookPanel,
    private readonly panels: Panels,
    private readonly bringForward: () => void
  ) {
    super();
    this.addClass('claude-chat-docked');
    this.words = new Widget({ node: document.createElement('div') });
    this.words.addClass('claude-chat-words');
    this.addWidget(this.words);
    const { sessionContext } = notebook;
    sessionContext.kernelChanged.connect(this.connect, this);
    this.connect();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.notebook.sessionContext.kernelChanged.disconnect(this.connect, this);
      this.kernel?.dispose();
      super.dispose();
    }
  }

  /** Whether the extension is loaded in the notebook's kernel. */
  get isLoaded(): boolean {
    return this.kernel?.isLoaded ?? false;
  }

  /** The panel, brought up if it is not. */
  open(): Promise<Panel | null> {
    this.wanted = true;
    this.opening ??= this.bringUp().finally(() => (this.opening = null));
    return this.opening;
  }

  /** A caption for an output of the notebook. Rejects with `NoPanel`. */
  async caption(asked: { cell: string; source: string; bundle: object }): Promise<ICaption> {
    await this.notebook.sessionContext.ready;
    if (!this.kernel) {
      throw new NoPanel('This notebook has no kernel: start one, and ask again.');
    }
    return this.kernel.caption(asked);
  }

  private async bringUp(): Promise<Panel | null> {
    if (this.panel) {
      return this.panel;
    }
    this.say('Opening the panel…');
    try {
      await this.notebook.sessionContext.ready;
      if (!this.kernel) {
        throw new NoPanel('This notebook has no kernel: start one, and open the panel again.');
      }
      const model = await inTime(this.kernel.model(), LONGEST_WAIT);
      const next = this.panels.next(model);
      const { text } = this;
      const renderer = this.notebook.content.rendermime.createRenderer(VIEW);
      const data = { [VIEW]: { version_major: 2, version_minor: 0, model_id: model } };
      const view = new Box();
      view.addClass('claude-chat-view');
      view.addWidget(renderer);
      this.replace(view);
      await renderer.renderModel({ data, metadata: {}, trusted: true, setData: () => undefined });
      const panel = await inTime(next, LONGEST_WAIT);
      panel.text = text; // what was being written when the kernel went
      this.panel = panel;
      this.say('');
      return panel;
    } catch (error) {
      this.say(
        error instanceof NoPanel ? error.message : `The panel did not come up: ${String(error)}`
      );
      return null;
    }
  }

  private connect(): void {
    this.kernel?.dispose();
    const kernel = this.notebook.sessionContext.session?.kernel ?? null;
    this.kernel =
      kernel &&
      new KernelPanel(kernel, {
        loaded: () => this.loaded(true),
        lost: () => this.loaded(false),
        shown: () => this.bringForward()
      });
    if (this.panel) {
      this.loaded(false);
    }
  }

  /** The extension is there, or gone: a panel that was open comes back by itself. */
  private loaded(isLoaded: boolean): void {
    this.notebook.toggleClass('claude-magic-loaded', isLoaded);
    if (isLoaded) {
      window.requestIdleCallback?.(() => void import('./widget')); // so that it opens at once
    }
    if (!isLoaded && this.panel) {
      this.gone = this.panel;
      this.panel = null;
      this.gone.disconnected(
        'The kernel was restarted; the next question goes on from here.',
        draft => this.open().then(panel => panel?.submit(draft))
      );
    } else if (isLoaded && this.wanted) {
      void this.open();
    }
  }

  private get text(): string {
    return (this.panel ?? this.gone)?.text ?? '';
  }

  private replace(view: Widget): void {
    this.gone = null;
    this.view?.dispose();
    this.view = view;
    this.addWidget(view);
  }

  private say(words: string): void {
    this.words.node.textContent = words;
    this.words.setHidden(words === '');
  }

  private readonly words: Widget;
  private kernel: KernelPanel | null = null;
  private panel: Panel | null = null;
  /** The panel of a kernel that is gone, still in view. */
  private gone: Panel | null = null;
  private view: Widget | null = null;
  private opening: Promise<Panel | null> | null = null;
  /** Whether the user has opened it. */
  private wanted = false;
}

/** The side bar's widget: it shows the panel of the notebook that the user is at. */
export class Dock extends Widget {
  constructor(private readonly make: (notebook: NotebookPanel) => DockedPanel) {
    super();
    this.id = 'claude-magic-chat';
    this.addClass('claude-chat-dock');
    this.title.caption = 'Chat with Claude';
    this.stack = new StackedLayout();
    this.empty = new Widget();
    this.empty.addClass('claude-chat-words');
    this.empty.node.textContent = 'Open a notebook to chat about it.';
    this.layout = this.stack;
    this.stack.addWidget(this.empty);
  }

  /** Show the panel of this notebook; with `open` bring it up as well. */
  turnTo(notebook: NotebookPanel | null): void {
    this.notebook = notebook;
    for (const widget of this.stack.widgets) {
      widget.hide();
    }
    if (!notebook) {
      this.empty.show();
      return;
    }
    const panel = this.of(notebook);
    panel.show();
    if (this.isVisible) {
      void panel.open();
    }
  }

  /** The docked panel of a notebook. */
  of(notebook: NotebookPanel): DockedPanel {
    let panel = this.held.get(notebook);
    if (!panel) {
      panel = this.make(notebook);
      panel.hide();
      this.held.set(notebook, panel);
      this.stack.addWidget(panel);
      notebook.disposed.connect(() => {
        this.held.get(notebook)?.dispose();
        this.held.delete(notebook);
      });
    }
    return panel;
  }

  protected override onAfterShow(): void {
    if (this.notebook && !this.notebook.isDisposed) {
      void this.of(this.notebook).open();
    }
  }

  protected override onActivateRequest(): void {
    const { notebook } = this;
    if (notebook && !notebook.isDisposed) {
      void this.of(notebook)
        .open()
        .then(panel => panel?.focus());
    }
  }

  private readonly stack: StackedLayout;
  private readonly empty: Widget;
  private readonly held = new Map<NotebookPanel, DockedPanel>();
  private notebook: NotebookPanel | null = null;
}

/** Rejects where something has not come after so many milliseconds. */
function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new NoPanel('The kernel does not answer: is it busy?'));
    const timer = window.setTimeout(late, milliseconds);
    promise.then(resolve, reject).finally(() => window.clearTimeout(timer));
  });
}
