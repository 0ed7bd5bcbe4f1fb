import assert from 'node:assert/strict';
import { test } from 'node:test';

import { asked, live, Page, samples, turn } from './panels';
import type { PanelMessage } from '../src/panel/protocol';

const PNG = 'data:image/png;base64,iVBORw0KGgo=';

function picture(name = 'ant.png'): File {
  return new File([new Uint8Array([1, 2, 3])], name, { type: 'image/png' });
}

/** Ends what the panel has begun by itself: reading a file. */
async function settled(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 0));
}

/** A drop of files, as far as the panel looks at one. */
function drop(page: Page, ...files: File[]): void {
  const event = new Event('drop', { bubbles: true, cancelable: true });
  Object.assign(event, { dataTransfer: { files, types: ['Files'] } });
  page.panel.element.dispatchEvent(event);
}

async function everything(): Promise<PanelMessage[]> {
  const host = { activeCell: () => 'A' };
  const page = new Page({
    turns: [
      turn('t1', {
        asked: { ...asked('What?'), images: [{ label: 'Image 1', src: PNG, width: 6, height: 4 }] },
        versions: ['t0', 't1']
      }),
      turn('t2')
    ],
    earlier: 1,
    host
  });
  page.click('Show earlier turns');
  drop(page, picture());
  await settled();
  const attachment = page.kernel.of('attach')[0]!.attachment;
  page.say(
    { type: 'attached', attachment, label: 'ant.png', src: PNG, problem: '' },
    {
      type: 'carried',
      chips: [{ serial: 3, kind: 'cell', label: '[3] x = 1', detail: 'x = 1', src: '' }]
    }
  );
  page.click('Leave out [3] x = 1');
  page.ask('What is it?');
  page.begin({
    approvals: ['p1', 'p2', 'p3'].map(approval => ({
      approval,
      name: 'lookup',
      text: `lookup ${approval}`,
      lasting: true
    }))
  });
  page.click('Allow', 0);
  page.click('Always for this tool', 1);
  page.write('too costly', page.named<HTMLInputElement>('Reason for not allowing it', 2));
  page.click('Deny', 2);
  page.click('Stop');
  page.say({ type: 'end', run: 'r', turn: turn('t3'), error: '' });
  page.click('Edit the question', 0);
  page.ask('What exactly?');
  page.click('Ask again', 1);
  page.click('Version before');
  page.click('Image 1: show it as it was sent');
  for (const entry of ['What was sent', 'Take out of the conversation', 'Branch off here']) {
    page.click('More', 2);
    page.click(entry);
  }
  const { request } = page.kernel.of('again')[0]!;
  page.say(
    { type: 'begin', live: live('r2', { request }) },
    { type: 'end', run: 'r2', turn: turn('t4'), error: '' }
  );
  page.ask('Another way');
  for (const form of ['Markdown', 'JSON for the API', 'a Python script']) {
    page.click('More', 0);
    page.click(`Export as ${form}`);
  }
  page.panel.attach('output of [3]', { 'text/plain': 'x' });
  for (const task of ['explain', 'fix', 'edit'] as const) {
    void page.panel.ask('Why?', { task, cell: 'A', source: '1/0', error: 'no' });
  }
  page.panel.dispose();
  return page.kernel.heard;
}

/** The same with ids that do not depend on chance. */
function plain(messages: PanelMessage[]): unknown {
  const ids = new Map<string, string>();
  const text = JSON.stringify(messages).replace(/[0-9a-f]{32}/g, id => {
    ids.set(id, ids.get(id) ?? `id-${ids.size}`);
    return ids.get(id)!;
  });
  return JSON.parse(text);
}

test('what a panel says is what the kernel is tested with', async () => {
  assert.deepEqual(plain(await everything()), samples('PanelMessage'));
});

test('what was sent is shown over the panel until it is closed, and the focus goes back', () => {
  const page = new Page({ turns: [turn('a')] });
  page.question.focus();
  page.say({ type: 'sent', turn: 'a', text: '<b>What?</b>' });
  assert.deepEqual(page.texts('dialog pre'), ['<b>What?</b>']);
  page.click('Close');
  assert.equal(page.all('dialog').length, 0);
  assert.equal(document.activeElement, page.question);
});

test('a picture is shown as it was sent, if it is one', () => {
  const page = new Page();
  const bytes = [new DataView(new Uint8Array([1, 2]).buffer)];
  const picture = { type: 'picture', turn: 'a', index: 0, buffer: 0 } as const;
  page.kernel.say([{ ...picture, media_type: 'text/html' }], bytes);
  page.kernel.say([{ ...picture, media_type: 'image/png', buffer: 1 }], bytes);
  assert.equal(page.all('dialog').length, 0);
  page.kernel.say([{ ...picture, media_type: 'image/png' }], bytes);
  assert.equal(page.all('dialog img').length, 1);
});

test('who asks about a cell is told the answer, or that it could not be asked', async () => {
  const page = new Page();
  const about = { task: 'fix', cell: 'A', source: '1/0', error: 'no' } as const;
  const first = page.panel.ask('', about);
  page.begin();
  page.say({ type: 'end', run: 'r', turn: turn('t'), error: '' });
  assert.equal((await first)?.turn, 't');
  const second = page.panel.ask('', about);
  page.say({ type: 'notice', request: page.kernel.of('ask')[1]!.request, text: 'no' });
  assert.equal(await second, null);
  const third = page.panel.ask('', about);
  page.panel.dispose();
  assert.equal(await third, null);
});

test('once the kernel is gone, what is asked goes to whoever knows how to go on', () => {
  const page = new Page();
  page.ask('One');
  page.begin({ parts: [{ kind: 'text', text: 'Half' }] });
  page.panel.disconnected('The kernel is gone.');
  assert.match(page.texts('.claude-chat-below')[0]!, /restarted/);
  assert.deepEqual(page.texts('.claude-chat-status'), ['The kernel is gone.']);
  const drafts: string[] = [];
  page.panel.disconnected('The kernel is gone.', draft => drafts.push(draft.text));
  page.write('Two');
  page.press('Enter');
  assert.deepEqual(drafts, ['Two']);
  assert.equal(page.kernel.of('ask').length, 1);
});

test('what the user goes to is told, and when a question is sent the page is told before', () => {
  const done: string[] = [];
  let move = (): void => undefined;
  const page = new Page({
    host: {
      activeCell: () => `cell ${done.length}`,
      beforeAsk: () => (done.push('told'), 'm-1'),
      onMove: moved => {
        move = moved;
        return () => done.push('ended');
      }
    }
  });
  move();
  page.ask('One');
  assert.deepEqual(
    page.kernel.of('preview').map(({ cell }) => cell),
    ['cell 0', 'cell 0']
  );
  assert.equal(page.kernel.of('ask')[0]!.cell, 'cell 1');
  assert.equal(page.kernel.of('ask')[0]!.page, 'm-1');
  page.panel.dispose();
  assert.deepEqual(done, ['told', 'ended']);
  page.say({ type: 'notice', request: '', text: 'heard by nobody' });
  assert.equal(document.body.childElementCount, 0);
});

test('a screen reader is told that an answer is there, and what stays wrong stays', () => {
  const page = new Page();
  page.ask('One');
  assert.deepEqual(page.texts('.claude-chat-status'), ['Sent']);
  page.begin();
  page.say({ type: 'end', run: 'r', turn: turn('t'), error: '' });
  assert.deepEqual(page.texts('.claude-chat-status'), ['The answer is there']);
  page.say({ type: 'notice', request: '', text: 'That turn is not there any more.' });
  assert.ok(page.all('.claude-chat-status')[0]!.classList.contains('claude-chat-shown'));
});
