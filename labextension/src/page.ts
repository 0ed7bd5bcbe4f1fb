import { Notification } from '@jupyterlab/apputils';
import type { Cell, ICellModel } from '@jupyterlab/cells';
import { PageConfig } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { NotebookActions } from '@jupyterlab/notebook';
import type { INotebookModel, Notebook } from '@jupyterlab/notebook';
import type { Contents, Kernel } from '@jupyterlab/services';

import { UUID } from '@lumino/coreutils';

import { edit, insert, writeAlt } from './writing';
import { Link } from './link';
import { Changes, isCode } from './changes';
import { conversationId, isObject } from './messages';
import type { KernelSays } from './messages';
import { Seen } from './seen';

/** The key in the notebook's metadata. */
const METADATA = 'claude_magic';

const LOADS = /^[ \t]*%?(re)?load_ext[ \t]+claude_magic[ \t]*$/m;
// A magic of ours, or `claude_magic.ask` by whatever name.
const ASKS = /%claude|\bask\s*\(/;

/** A question of the panel: its mark, and the cell down to which what is shown is told for it. */
interface IAsked {
  mark: string;
  below: ICellModel | null;
}

/** One notebook as its kernel is told of it, however many views of it are open. */
export class Page {
  constructor(
    private readonly context: DocumentRegistry.IContext<INotebookModel>,
    private readonly contents: Contents.IManager
  ) {
    const { sessionContext } = context;
    sessionContext.kernelChanged.connect(this.kernelChanged, this);
    NotebookActions.executionScheduled.connect(this.scheduled, this);
    context.disposed.connect(this.dispose, this);
    this.connect(sessionContext.session?.kernel ?? null);
  }

  private dispose(): void {
    this.context.sessionContext.kernelChanged.disconnect(this.kernelChanged, this);
    NotebookActions.executionScheduled.disconnect(this.scheduled, this);
    this.connect(null);
  }

  private kernelChanged(_: unknown, change: { newValue: Kernel.IKernelConnection | null }): void {
    this.connect(change.newValue);
  }

  private connect(kernel: Kernel.IKernelConnection | null): void {
    this.link?.dispose();
    this.forget();
    const { opened, forget, received } = this;
    this.link = kernel && new Link(kernel, { opened, lost: forget, received });
  }

  /** A cell is about to be run: the last moment at which the kernel can be told before. */
  private scheduled(_: unknown, { notebook, cell }: { notebook: Notebook; cell: Cell }): void {
    if (notebook.model !== this.context.model || !this.link) {
      return;
    }
    const source = cell.model.sharedModel.getSource();
    if (this.link.isListening) {
      this.tell();
      if (ASKS.test(source)) {
        this.tellSeen(cell.model);
      }
      this.ran.add(cell.model.id);
    }
    const loads = LOADS.exec(source);
    if (loads) {
      this.link.loading();
      // Of what stands below in a "Run All", a kernel that loads again knows nothing.
      if (loads[1]) {
        this.forget();
      }
      this.told = null;
    }
  }

  /** Tell the kernel what it does not know of the page. */
  private tell(): void {
    const { model, path } = this.context;
    const changes = (this.changes ??= new Changes(model.cells));
    const { conversation } = this;
    const place = `${conversation ?? ''} ${path}`;
    const fresh = this.told === null;
    if (fresh) {
      changes.forget();
    }
    const isMoved = changes.isMoved || place !== this.told;
    if (isMoved) {
      const drive = this.contents.driveName(path);
      const cells = Array.from(model.cells, cell => cell.id);
      this.link?.send({
        type: 'page',
        // RTC is the server's own file system, seen through the collaboration extension.
        path: drive === '' || drive === 'RTC' ? this.contents.localPath(path) : null,
        root: PageConfig.getOption('serverRoot'),
        conversation,
        cells,
        fresh
      });
      this.told = place;
      changes.isMoved = false;
      this.seen.keep(cells);
    }
    const news = changes.news();
    if (news.length === 0 && !isMoved && !this.alone) {
      news.push({ type: 'cells', cells: [] });
    }
    news.forEach(message => this.link?.send(message));
  }

  /**
   * Tell the kernel of the page for a question of the panel, with what stands down to `active`
   * shown; the mark that ends it, '' where nobody listens.
   */
  tellAll(active: Cell | null): string {
    if (!this.link?.isListening) {
      return '';
    }
    const asked = { mark: UUID.uuid4(), below: active?.model ?? null };
    this.asked = asked;
    this.tellFor(asked);
    return asked.mark;
  }

  private tellFor({ mark, below }: IAsked): void {
    this.tell();
    if (below) {
      this.tellSeen(below, 1);
    }
    this.link?.send({ type: 'mark', mark });
  }

  /** Tell the kernel what the cells above a question show, but for those that it ran. */
  private tellSeen(question: ICellModel, own = 0): void {
    const cells = Array.from(this.context.model.cells);
    const above = cells.slice(0, Math.max(0, cells.indexOf(question) + own));
    const unknown = above.reverse().filter(cell => !isCode(cell) || !this.ran.has(cell.id));
    for (const message of this.seen.news(unknown, cell => this.changes?.version(cell) ?? 0)) {
      this.link?.send(message);
    }
  }

  private get conversation(): string | null {
    const metadata: unknown = this.context.model.getMetadata(METADATA);
    return isObject(metadata) ? conversationId(metadata.conversation) : null;
  }

  private readonly opened = (): void => {
    this.told = null;
    this.tell();
  };

  private readonly forget = (): void => {
    this.told = null;
    this.asked = null;
    this.alone = true;
    this.ran.clear();
    this.seen = new Seen();
  };

  private readonly received = (message: KernelSays): void => {
    const { model } = this.context;
    switch (message.type) {
      case 'ran':
        message.cells.forEach(cell => this.ran.add(cell));
        this.alone = message.alone;
        break;
      case 'again':
        this.told = null;
        this.seen = new Seen();
        if (this.asked) {
          this.tellFor(this.asked); // the kernel had lost the page, and waits for this
        } else {
          this.tell();
        }
        break;
      case 'insert':
        insert(model, message);
        break;
      case 'edit':
        edit(model, message);
        break;
      case 'alt':
        if (!writeAlt(model, message)) {
          Notification.warning('The alt text was not written: that output is not there any more.');
        }
        break;
      case 'conversation':
        if (message.id !== this.conversation) {
          // The only thing that we ever change in a notebook by ourselves.
          const metadata: unknown = model.getMetadata(METADATA);
          const kept = isObject(metadata) ? metadata : {};
          model.setMetadata(METADATA, { ...kept, conversation: message.id });
        }
    }
  };

  private link: Link | null = null;
  /** Where the kernel was told that the page is, null if it knows nothing of this page. */
  private told: string | null = null;
  /** The last question of the panel. */
  private asked: IAsked | null = null;
  /** What changed since; made when a kernel wants to be told. */
  private changes: Changes | null = null;
  /** Whether no other tab tells this kernel of a page. */
  private alone = true;
  /** The cells whose outputs the kernel itself has seen. */
  private readonly ran = new Set<string>();
  private seen = new Seen();
}
