import { ended } from './browser';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Cell } from '@jupyterlab/cells';
import { NotebookModel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';

import type { IRanMessage, KernelSays, PageSays } from '../../src/messages';
import { Page } from '../../src/page';

/** A kernel that has claude_magic loaded, and hears what one tab tells of a page of two cells. */
class Tab {
  readonly model = ended(new NotebookModel());
  readonly page: Page;

  constructor() {
    const cell = { cell_type: 'code', source: '1', metadata: {}, execution_count: null };
    const outputs = [{ output_type: 'stream', name: 'stdout', text: '1' }];
    const cells = ['a', 'b'].map(id => ({ ...cell, id, outputs }));
    this.model.fromJSON({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });
    const signal = new Signal<unknown, unknown>(this);
    const session = { kernel: this.kernel };
    const sessionContext = { kernelChanged: signal, session };
    const context = { sessionContext, disposed: signal, model: this.model, path: 'nb.ipynb' };
    const contents = { driveName: () => '', localPath: (path: string) => path };
    this.page = new Page(context as never, contents as never);
  }

  /** The kernel opens the comm, as it does when the extension is loaded. */
  load(): void {
    this.open(this.comm);
  }

  say(data: KernelSays): void {
    this.comm.onMsg({ content: { data } });
  }

  /** What is told when a question is asked below the last cell: types, and ids of cells. */
  ask(): string[] {
    const model = this.model.cells.get(1);
    const mark = this.page.tellAll({ model } as Cell);
    if (mark !== '') {
      assert.deepEqual(this.told.pop(), { type: 'mark', mark }, 'it ends what is told');
    }
    return this.heard;
  }

  get heard(): string[] {
    return this.told.splice(0).map(({ type, ...rest }) => {
      const cells = 'cells' in rest ? rest.cells : [];
      const ids = cells.map(cell => (typeof cell === 'string' ? cell : cell.id)).join('');
      return `${'fresh' in rest && rest.fresh ? 'fresh ' : ''}${type} ${ids}`;
    });
  }

  private open!: (comm: object) => void;
  private readonly told: PageSays[] = [];
  private readonly comm = {
    onMsg: (message: object): void => assert.fail(JSON.stringify(message))
  };
  private readonly kernel = {
    handleComms: true,
    status: 'idle',
    statusChanged: new Signal<unknown, unknown>(this),
    registerCommTarget: (_: string, opened: (comm: object) => void) => (this.open = opened),
    // Whether the comm is open is never answered: the kernel is at work.
    requestCommInfo: () => new Promise(() => undefined),
    sendControlMessage: () => ({ done: new Promise(() => undefined) }),
    sendShellMessage: ({ content }: { content: { data: PageSays } }) => this.told.push(content.data)
  } as unknown as Kernel.IKernelConnection;
}

const WHOLE = ['fresh page ab', 'cells ab'];
const RAN: IRanMessage = { type: 'ran', cells: [], alone: true };

function loaded(): Tab {
  const tab = new Tab();
  tab.load();
  assert.deepEqual(tab.heard, WHOLE);
  tab.say(RAN);
  assert.deepEqual(tab.ask(), ['seen ba']);
  return tab;
}

test('a kernel that has loaded the extension is told the whole page, and then what changes', () => {
  const tab = loaded();
  assert.deepEqual(tab.ask(), []);
  tab.model.cells.get(0).sharedModel.setSource('2');
  assert.deepEqual(tab.ask(), ['cells a'], 'not what it shows, which is the same');
  tab.model.sharedModel.moveCell(0, 1);
  assert.deepEqual(tab.ask(), ['page ba', 'cells a', 'seen a']);
  tab.model.setMetadata('claude_magic', { conversation: 'c-1' });
  assert.deepEqual(tab.ask(), ['page ba']);
});

test('what the kernel ran is not told as seen', () => {
  const tab = new Tab();
  tab.load();
  tab.say({ ...RAN, cells: ['b'] });
  assert.deepEqual(tab.ask(), [...WHOLE, 'seen a']);
});

test('a kernel that asks again is told the whole page again', () => {
  const tab = new Tab();
  tab.load();
  tab.say({ type: 'again' });
  assert.deepEqual(tab.heard, [...WHOLE, ...WHOLE]);
  tab.load();
  assert.deepEqual(tab.heard, WHOLE, 'it was loaded again');
});

test('a question of the panel waits for a page that the kernel had lost', () => {
  const tab = loaded();
  tab.say({ type: 'again' });
  assert.deepEqual(tab.heard, [...WHOLE, 'seen ba', 'mark '], 'what it shows, and its mark');
  assert.deepEqual(tab.ask(), []);
  tab.load();
  assert.deepEqual(tab.heard, WHOLE, 'it was loaded again');
});

test('a page that is not alone says each time that it is the one', () => {
  const tab = loaded();
  tab.say({ ...RAN, alone: false });
  assert.deepEqual(tab.ask(), ['cells ']);
  assert.deepEqual(tab.ask(), ['cells ']);
  tab.model.cells.get(0).sharedModel.setSource('2');
  assert.deepEqual(tab.ask(), ['cells a']);
});
