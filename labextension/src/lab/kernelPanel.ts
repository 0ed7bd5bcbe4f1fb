import { CommsOverSubshells, KernelMessage } from '@jupyterlab/services';
import type { Kernel } from '@jupyterlab/services';

import { UUID } from '@lumino/coreutils';

import { isObject } from '../messages';
import { LOAD } from './load';

/** The name of the comm, and its id; the kernel's side is `claude_magic/panel/dock.py`. */
const COMM = 'claude_magic:panel';
const MODEL = /^[A-Za-z0-9-]{1,64}$/;

/** What a link to a kernel reports. */
export interface IKernelPanelEvents {
  /** The kernel has the extension loaded. */
  loaded(): void;
  /** It has not, or not any more: it restarts, or the extension was unloaded. */
  lost(): void;
  /** The kernel wants its panel shown. */
  shown(): void;
}

/** What goes wrong when a panel is opened, in words for the user. */
export class NoPanel extends Error {}

/** An alt text that the kernel has asked for; `cost` in words, '' where nothing was paid. */
export interface ICaption {
  alt: string;
  cost: string;
}

/** Gets the model of the docked panel from one kernel, also while a cell runs. */
export class KernelPanel {
  constructor(
    private readonly kernel: Kernel.IKernelConnection,
    private readonly events: IKernelPanelEvents
  ) {
    // A second notebook on the same kernel gets no comms.
    if (kernel.handleComms) {
      kernel.registerCommTarget(COMM, this.opened);
      kernel.statusChanged.connect(this.statusChanged, this);
      void this.look();
    }
  }

  dispose(): void {
    this.comm = null;
    if (this.kernel.isDisposed || !this.kernel.handleComms) {
      return;
    }
    this.kernel.statusChanged.disconnect(this.statusChanged, this);
    this.kernel.removeCommTarget(COMM, this.opened);
  }

  get isLoaded(): boolean {
    return this.comm !== null;
  }

  /** The id of the panel's model; the extension is loaded for it. Rejects with `NoPanel`. */
  async model(): Promise<string> {
    if (!this.comm) {
      await this.load();
    }
    const found = new Promise<string>(resolve => this.waiting.push(resolve));
    return this.sendBeside({ type: 'open' }, found);
  }

  /** A caption for an output; the extension is loaded for it. Rejects with `NoPanel`. */
  async caption(asked: { cell: string; source: string; bundle: object }): Promise<ICaption> {
    if (!this.comm) {
      await this.load();
    }
    const id = UUID.uuid4();
    const found = new Promise<ICaption>((resolve, reject) =>
      this.captions.set(id, { resolve, reject })
    );
    return this.sendBeside({ type: 'caption', id, ...asked }, found);
  }

  /** Send a message past a cell that runs, and give what comes of it. */
  private async sendBeside<T>(data: object, found: Promise<T>): Promise<T> {
    const subshell = await this.subshell();
    try {
      const message = KernelMessage.createMessage<KernelMessage.ICommMsgMsg<'shell'>>({
        msgType: 'comm_msg',
        channel: 'shell',
        username: this.kernel.username,
        session: this.kernel.clientId,
        subshellId: subshell,
        content: { comm_id: COMM, data: data as KernelMessage.ICommMsgMsg['content']['data'] }
      });
      this.kernel.sendShellMessage(message, false, true);
      return await found;
    } finally {
      if (subshell !== null && !this.kernel.isDisposed) {
        this.kernel.requestDeleteSubshell({ subshell_id: subshell }, true);
      }
    }
  }

  /** A subshell, so that the request passes a cell that runs; null where kernels have none. */
  private async subshell(): Promise<string | null> {
    await this.kernel.info;
    if (!this.kernel.supportsSubshells) {
      return null;
    }
    const reply = await this.kernel.requestCreateSubshell({}).done;
    return reply.content.subshell_id;
  }

  private async load(): Promise<void> {
    const { language_info } = await this.kernel.info;
    if (language_info.name !== 'python') {
      throw new NoPanel('The chat panel needs a Python kernel.');
    }
    const reply = await this.kernel.requestExecute({
      code: LOAD,
      silent: true,
      store_history: false,
      stop_on_error: false
    }).done;
    const { content } = reply;
    if (content.status === 'error') {
      const isMissing = content.ename === 'ModuleNotFoundError';
      throw new NoPanel(
        isMissing
          ? 'claude_magic is not installed where this kernel runs: pip install claude-magic there.'
          : `claude_magic cannot be loaded: ${content.evalue}`
      );
    }
    await this.look();
    if (!this.comm) {
      throw new NoPanel('The kernel does not answer: restart it, and open the panel again.');
    }
  }

  /** Ask the kernel whether the comm is open: the page may be younger than the kernel. */
  private async look(): Promise<void> {
    try {
      const { content } = await this.kernel.requestCommInfo({ target_name: COMM });
      const isOpen = content.status === 'ok' && COMM in content.comms;
      if (isOpen && !this.kernel.isDisposed && !this.comm) {
        const known = this.kernel.hasComm(COMM);
        this.adopt(this.kernel.createComm(COMM, known ? undefined : COMM));
      }
    } catch {
      return; // the kernel was restarted or is gone, and with it the question
    }
  }

  private readonly opened = (comm: Kernel.IComm): void => {
    // A subshell is being started for it; ours is made when it is needed.
    const { subshellStarted } = comm as { subshellStarted?: Promise<void> };
    const stop = (): void => {
      comm.commsOverSubshells = CommsOverSubshells.Disabled;
    };
    subshellStarted?.then(stop, () => undefined);
    this.adopt(comm);
  };

  private adopt(comm: Kernel.IComm): void {
    comm.onMsg = message => this.received(message.content.data);
    comm.onClose = () => this.lose();
    this.comm = comm;
    this.events.loaded();
  }

  private received(data: unknown): void {
    if (isObject(data) && data.type === 'caption') {
      this.captioned(data);
    }
    if (!isObject(data) || data.type !== 'panel') {
      return;
    }
    const { model, show } = data;
    if (typeof model === 'string' && MODEL.test(model)) {
      this.waiting.splice(0).forEach(resolve => resolve(model));
      if (show === true) {
        this.events.shown();
      }
    }
  }

  private captioned({ id, alt, cost, error }: Record<string, unknown>): void {
    const waiting = this.captions.get(String(id));
    this.captions.delete(String(id));
    if (typeof alt === 'string' && alt !== '') {
      waiting?.resolve({ alt, cost: typeof cost === 'string' ? cost : '' });
    } else {
      waiting?.reject(new NoPanel(typeof error === 'string' ? error : ''));
    }
  }

  private lose(): void {
    this.comm = null;
    const lost = new NoPanel('The kernel was restarted: ask again.');
    this.captions.forEach(({ reject }) => reject(lost));
    this.captions.clear();
    this.events.lost();
  }

  private statusChanged(_: unknown, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting') {
      this.restarting = true;
      this.lose();
    } else if (this.restarting && status !== 'unknown') {
      this.restarting = false;
      void this.look(); // a configuration file may load the extension with the kernel
    }
  }

  private comm: Kernel.IComm | null = null;
  private readonly waiting: ((model: string) => void)[] = [];
  private readonly captions = new Map<
    string,
    { resolve(caption: ICaption): void; reject(error: NoPanel): void }
  >();
  private restarting = false;
}
