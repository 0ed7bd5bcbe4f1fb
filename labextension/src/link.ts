import { CommsOverSubshells, KernelMessage } from '@jupyterlab/services';
import type { Kernel } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';

import { COMM, kernelSays } from './messages';
import type { KernelSays, PageSays } from './messages';

/** What a link reports. */
export interface ILinkEvents {
  /** The kernel has the extension loaded and knows nothing of this page yet. */
  opened(): void;
  /** What was told is forgotten: the kernel restarts, or the extension was unloaded. */
  lost(): void;
  received(message: KernelSays): void;
}

/** The comm with claude_magic in one kernel, found again after a reload of the page. */
export class Link {
  constructor(
    private readonly kernel: Kernel.IKernelConnection,
    private readonly events: ILinkEvents
  ) {
    // A second notebook on the same kernel gets no comms.
    if (kernel.handleComms) {
      kernel.registerCommTarget(COMM, this.kernelOpened);
      kernel.statusChanged.connect(this.statusChanged, this);
      void this.look();
      void this.lookAhead();
    }
  }

  dispose(): void {
    this.listening = false;
    if (this.kernel.isDisposed) {
      return;
    }
    this.kernel.statusChanged.disconnect(this.statusChanged, this);
    if (this.kernel.handleComms) {
      this.kernel.removeCommTarget(COMM, this.kernelOpened);
    }
  }

  /** Whether claude_magic is there, or will be when a message sent now arrives. */
  get isListening(): boolean {
    return this.listening && !this.kernel.isDisposed && this.kernel.status !== 'dead';
  }

  /**
   * Send a message that arrives before whatever is sent to be run after it.
   *
   * So it goes to the main shell: what a comm itself sends may go to a subshell, where it would
   * overtake the cells that wait, and could come after those that are run next.
   */
  send(data: PageSays): void {
    const message = KernelMessage.createMessage<KernelMessage.ICommMsgMsg<'shell'>>({
      msgType: 'comm_msg',
      channel: 'shell',
      username: this.kernel.username,
      session: this.kernel.clientId,
      content: { comm_id: COMM, data: data as unknown as JSONObject }
    });
    this.kernel.sendShellMessage(message, false, true);
  }

  /** Called when a cell is about to be run that loads the extension. */
  loading(): void {
    if (!this.kernel.handleComms || this.listening) {
      return;
    }
    this.listening = true;
    // The cells run together are sent within this turn of the event loop; the question whether
    // the extension was loaded goes behind them.
    queueMicrotask(() => void this.look());
  }

  /** Ask the kernel whether the comm is open: the page may be younger than the kernel. */
  private async look(): Promise<void> {
    let isOpen: boolean;
    try {
      const reply = await this.kernel.requestCommInfo({ target_name: COMM });
      isOpen = reply.content.status === 'ok' && COMM in reply.content.comms;
    } catch {
      return; // the kernel was restarted or is gone, and with it the question
    }
    if (this.kernel.isDisposed) {
      return;
    }
    if (isOpen) {
      this.find();
    } else {
      this.lose();
    }
  }

  /**
   * Ask the same past the cells that run and wait, so that a page that was reloaded meanwhile can
   * tell of itself before what is run next. A kernel that does not answer here answers there.
   */
  private async lookAhead(): Promise<void> {
    const { username, clientId } = this.kernel;
    const question = KernelMessage.createMessage<KernelMessage.ICommInfoRequestMsg>({
      msgType: 'comm_info_request',
      channel: 'shell',
      username,
      session: clientId,
      content: { target_name: COMM }
    });
    // To JupyterLab it is a question of the shell channel alone; ipykernel answers it on both.
    const ahead = { ...question, channel: 'control' } as unknown as KernelMessage.IControlMessage;
    try {
      const future = this.kernel.sendControlMessage(ahead, true);
      const reply = (await future.done) as unknown as KernelMessage.ICommInfoReplyMsg;
      if (reply.content.status === 'ok' && COMM in reply.content.comms) {
        this.find();
      }
    } catch {
      // the kernel was restarted or is gone
    }
  }

  /** Take part in the comm that the kernel has open. */
  private find(): void {
    if (!this.kernel.isDisposed && !this.kernel.hasComm(COMM)) {
      const comm = this.kernel.createComm(COMM, COMM);
      comm.commsOverSubshells = CommsOverSubshells.Disabled;
      this.adopt(comm);
    }
  }

  private readonly kernelOpened = (comm: Kernel.IComm): void => {
    // By now a subshell is being started for it, of which JupyterLab lets nobody keep it. We send
    // nothing there, so it is stopped again.
    const { subshellStarted } = comm as { subshellStarted?: Promise<void> };
    const stop = (): void => {
      comm.commsOverSubshells = CommsOverSubshells.Disabled;
    };
    subshellStarted?.then(stop, () => undefined);
    this.adopt(comm);
  };

  private adopt(comm: Kernel.IComm): void {
    comm.onMsg = message => {
      const said = kernelSays(message.content.data);
      if (said) {
        this.events.received(said);
      }
    };
    comm.onClose = () => this.lose();
    this.listening = true;
    this.events.opened();
  }

  private lose(): void {
    this.listening = false;
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

  private listening = false;
  private restarting = false;
}
