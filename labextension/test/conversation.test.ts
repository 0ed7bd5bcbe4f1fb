import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Conversation } from '../src/panel/conversation';
import type { ILive, IPanelPart, IPanelTurn, KernelMessage } from '../src/panel/protocol';

function asked(prompt: string): IPanelTurn['asked'] {
  return {
    prompt,
    cell: '',
    place: '',
    panel: true,
    images: [],
    above: '',
    notices: [],
    started: 0
  };
}

function turn(id: string, text = 'Answer'): IPanelTurn {
  return {
    id,
    asked: asked(`Question ${id}`),
    parts: [{ kind: 'text', text }],
    status: 'complete',
    below: '',
    detail: '',
    versions: []
  };
}

function live(run: string, said: Partial<ILive> = {}): ILive {
  const nothing = { parts: [], n: 0, doing: 'sending', approvals: [], instead: [], before: '' };
  return { run, request: '', asked: asked(`Question ${run}`), ...nothing, ...said };
}

function delta(run: string, n: number, text: string, part = 0): KernelMessage {
  return { type: 'delta', run, n, parts: [[part, { kind: 'text', text }]] };
}

function turns(...order: string[]): KernelMessage {
  return { type: 'turns', order, turns: [], versions: {}, places: {} };
}

class Told extends Conversation {
  constructor(...messages: KernelMessage[]) {
    super('me');
    this.take({ type: 'history', view: 'me', turns: [], earlier: 0, live: [] }, ...messages);
  }

  take(...messages: KernelMessage[]): this {
    messages.forEach(message => this.apply(message, []));
    return this;
  }

  get prompts(): string[] {
    return this.items.map(item => item.asked.prompt.replace('Question ', ''));
  }

  text(at = 0): string {
    return this.items[at]!.parts.map(({ text }: IPanelPart) => text).join('|');
  }
}

test('deltas add up, whatever part they are of', () => {
  const told = new Told({ type: 'begin', live: live('r') }, delta('r', 0, 'Hel'));
  told.take(delta('r', 1, 'lo'), delta('r', 2, 'more', 1));
  assert.equal(told.text(), 'Hello|more');
});

test('the text at the end stands, whatever came before it', () => {
  const told = new Told({ type: 'begin', live: live('r') }, delta('r', 0, 'Hel'));
  told.take({ type: 'end', run: 'r', turn: turn('t', 'Hello'), error: '' });
  assert.equal(told.text(), 'Hello');
  assert.equal(told.items[0]!.status, 'complete');
  assert.equal(told.items[0]!.turn, 't');
});

test('a delta that was lost is noticed, and what follows is not added to the wrong place', () => {
  const told = new Told({ type: 'begin', live: live('r') }, delta('r', 0, 'a'));
  let gaps = 0;
  told.on('gap', () => (gaps += 1));
  told.take(delta('r', 2, 'c'));
  assert.equal(gaps, 1);
  assert.equal(told.text(), 'a');
  const parts: IPanelPart[] = [{ kind: 'text', text: 'abc' }];
  told.take({
    type: 'history',
    view: 'me',
    turns: [],
    earlier: 0,
    live: [live('r', { parts, n: 3 })]
  });
  told.take(delta('r', 2, 'c'), delta('r', 3, 'd'));
  assert.equal(told.text(), 'abcd');
});

test('the history of another view is not this one’s', () => {
  const told = new Told({ type: 'begin', live: live('r') });
  told.take({ type: 'history', view: 'other', turns: [], earlier: 0, live: [] });
  assert.equal(told.items.length, 1);
});

test('before the history has come nothing is shown', () => {
  const told = new Conversation('me');
  told.apply({ type: 'begin', live: live('r') }, []);
  told.apply(turns('a'), []);
  assert.equal(told.items.length, 0);
});

test('turns stand in the order that the kernel says; one that is gone goes', () => {
  const told = new Told({ type: 'end', run: 'x', turn: turn('x'), error: '' });
  told.take({
    type: 'turns',
    order: ['a', 'b'],
    turns: [turn('b'), turn('a')],
    versions: {},
    places: {}
  });
  assert.deepEqual(told.prompts, ['a', 'b']);
  told.take(turns('b', 'a'));
  assert.deepEqual(told.prompts, ['b', 'a']);
  told.take(turns('a'));
  assert.deepEqual(told.prompts, ['a']);
});

test('a question under way stays at the end while turns come and go', () => {
  const told = new Told({ type: 'begin', live: live('r') });
  told.take({ type: 'turns', order: ['a'], turns: [turn('a')], versions: {}, places: {} });
  assert.deepEqual(told.prompts, ['a', 'r']);
  told.take({ type: 'end', run: 'r', turn: turn('t'), error: '' }, turns('a', 't'));
  assert.deepEqual(told.prompts, ['a', 't']);
});

test('a question under way stands where its turn will stand, also once others have come or moved', () => {
  const told = new Told({
    type: 'turns',
    order: ['a', 'c'],
    turns: [turn('a'), turn('c')],
    versions: {},
    places: {}
  });
  told.take({ type: 'begin', live: live('r', { before: 'c' }) });
  told.take({ type: 'begin', live: live('s', { before: 'a' }) });
  told.take({ type: 'begin', live: live('t', { before: 'c' }) });
  assert.deepEqual(told.prompts, ['s', 'a', 'r', 't', 'c']);
  told.take({
    type: 'turns',
    order: ['c', 'b', 'a'],
    turns: [turn('b')],
    versions: {},
    places: {}
  });
  assert.deepEqual(told.prompts, ['r', 't', 'c', 'b', 's', 'a']);
  told.take({ type: 'end', run: 'r', turn: turn('r'), error: '' });
  assert.deepEqual(told.prompts, ['r', 't', 'c', 'b', 's', 'a'], 'it does not jump as it ends');
});

test('what is under way stands in its place in a history too', () => {
  const told = new Told({
    type: 'history',
    view: 'me',
    turns: [turn('a'), turn('b')],
    earlier: 0,
    live: [live('r', { before: 'b' }), live('s')]
  });
  assert.deepEqual(told.prompts, ['a', 'r', 'b', 's']);
});

test('a question that was not answered keeps its place, until it is taken away', () => {
  const told = new Told({
    type: 'turns',
    order: ['a'],
    turns: [turn('a')],
    versions: {},
    places: {}
  });
  told.take({ type: 'begin', live: live('r') });
  told.take({ type: 'end', run: 'r', turn: null, error: 'no answer' });
  told.take({ type: 'turns', order: ['a', 'b'], turns: [turn('b')], versions: {}, places: {} });
  assert.deepEqual(told.prompts, ['a', 'r', 'b']);
  const failed = told.items[1]!;
  assert.deepEqual([failed.status, failed.error], ['failed', 'no answer']);
  told.forget(failed);
  assert.deepEqual(told.prompts, ['a', 'b']);
});

test('what a question is asked in place of is hidden until that has failed', () => {
  const told = new Told({
    type: 'turns',
    order: ['a', 'b'],
    turns: [turn('a'), turn('b')],
    versions: {},
    places: {}
  });
  told.take({ type: 'begin', live: live('r', { instead: ['a', 'b'] }) });
  assert.deepEqual(told.prompts, ['r']);
  told.take({ type: 'end', run: 'r', turn: null, error: 'no' });
  assert.deepEqual(told.prompts, ['a', 'b', 'r']);
});

test('a recorded reply shown again stands once', () => {
  const told = new Told({
    type: 'turns',
    order: ['a'],
    turns: [turn('a')],
    versions: {},
    places: {}
  });
  told.take({ type: 'begin', live: live('r') });
  told.take({ type: 'end', run: 'r', turn: turn('a'), error: '' });
  assert.deepEqual(told.prompts, ['a']);
});

test('a call waits until it is decided, here or elsewhere', () => {
  const told = new Told({ type: 'begin', live: live('r') });
  const approval = { approval: 'p', name: 'x', text: 'x()', lasting: true };
  told.take({ type: 'approve', run: 'r', approval });
  assert.equal(told.items[0]!.approvals.length, 1);
  told.take({ type: 'approved', run: 'r', approval: 'p' });
  assert.equal(told.items[0]!.approvals.length, 0);
});

test('when the kernel goes, what was under way is over and says so', () => {
  const told = new Told({ type: 'begin', live: live('r') }, delta('r', 0, 'Half'));
  told.stopAll();
  assert.equal(told.items[0]!.status, 'failed');
  assert.match(told.items[0]!.error, /restarted/);
  assert.equal(told.text(), 'Half');
});

test('earlier turns stand before those that are there', () => {
  const told = new Told({
    type: 'turns',
    order: ['b'],
    turns: [turn('b')],
    versions: {},
    places: {}
  });
  told.take({ type: 'earlier', turns: [turn('a'), turn('b')], earlier: 0 });
  assert.deepEqual(told.prompts, ['a', 'b']);
});
