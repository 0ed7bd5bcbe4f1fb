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
  const page = new Page({ turns: [turn('t1', { asked: { ...asked('What?'), images: [
    { label: 'Image 1', src: PNG, width: 6, height: 4 }
  ] }, versions: ['t0', 't1'] }), turn('t2')], earlier: 1, host });
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
    approvals: ['p1', 'p2', 'p3'].map(approval => (
      { approval, name: 'lookup', text: `lookup ${approval}`, lasting: true }
    ))
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
