import assert from 'node:assert/strict';
import { test } from 'node:test';

import { live, Page, turn } from './panels';
import type { IAsk, IChip } from '../src/panel/protocol';

const PNG = 'data:image/png;base64,iVBORw0KGgo=';

function cell(serial: number): IChip {
  return { serial, kind: 'cell', label: `[${serial}] x`, detail: 'x', src: '' };
}

function files(...names: string[]): File[] {
  return names.map(name => new File([new Uint8Array([7])], name, { type: 'image/png' }));
}

/** Pictures are pasted; what was read of them is there. */
async function paste(page: Page, ...given: File[]): Promise<Event> {
  const event = new Event('paste', { bubbles: true, cancelable: true });
  Object.assign(event, { clipboardData: { files: given } });
  page.question.dispatchEvent(event);
  await new Promise(resolve => setTimeout(resolve, 0));
  return event;
}

test('Enter sends what is written, and the field is empty then', () => {
  const page = new Page();
  page.write('What?');
  assert.ok(page.press('Enter').defaultPrevented);
  assert.deepEqual(
    page.kernel.of('ask').map(({ text }) => text),
    ['What?']
  );
  assert.equal(page.question.value, '');
});

for (const [name, said] of Object.entries({
  'with Shift breaks the line': { shiftKey: true },
  'while letters are put together belongs to these': { isComposing: true }
})) {
  test(`Enter ${name}`, () => {
    const page = new Page();
    page.write('What?');
    assert.ok(!page.press('Enter', page.question, said).defaultPrevented);
    assert.equal(page.kernel.of('ask').length, 0);
  });
}

test('nothing is sent of blanks, and the button says so', () => {
  const page = new Page();
  assert.ok(page.named<HTMLButtonElement>('Send').disabled);
  page.write('  \n ');
  page.press('Enter');
  assert.equal(page.kernel.of('ask').length, 0);
  page.write('What?');
  assert.ok(!page.named<HTMLButtonElement>('Send').disabled);
  page.click('Send');
  assert.equal(page.kernel.of('ask').length, 1);
});

test('keys that are typed are no shortcuts of the notebook', () => {
  const page = new Page();
  const heard: string[] = [];
  document.body.addEventListener('keydown', event => heard.push(event.key));
  page.press('a');
  page.press('s', page.question, { ctrlKey: true });
  assert.deepEqual(heard, ['s']);
});

const SEEN = [
  { sees: [0, 0, ''], line: '', button: '' },
  { sees: [0, 0, '[3]'], line: 'below [3]', button: '' },
  { sees: [1, 1, '[3]'], line: 'sees 1 turn · below [3]', button: '' },
  { sees: [6, 6, '[8]'], line: 'sees all 6 turns · below [8]', button: '' },
  { sees: [4, 6, '[3]'], line: 'sees 4 of 6 turns · below [3]', button: 'See all' },
  { sees: [0, 1, 'cell 2'], line: 'sees 0 of 1 turn · below cell 2', button: 'See all' }
] as const;

for (const { sees, line, button } of SEEN) {
  test(`before a question is sent a line says: ${line || 'nothing'}`, () => {
    const page = new Page();
    const [seen, all, below] = sees;
    page.say({ type: 'sees', seen, all, below });
    const shown = page.all('.claude-chat-sees').filter(element => !element.hidden);
    assert.equal(shown.map(element => element.querySelector('span')!.textContent).join(), line);
    assert.equal(page.has('See all'), button !== '');
  });
}

test('one click has this and all further questions see the whole conversation, one more undoes it', () => {
  const page = new Page();
  page.say({ type: 'sees', seen: 4, all: 6, below: '[3]' });
  page.write('Which?');
  page.click('See all');
  assert.equal(page.kernel.of('preview').at(-1)!.whole, true);
  assert.equal(document.activeElement, page.question);
  page.say({ type: 'sees', seen: 6, all: 6, below: '[8]' });
  assert.equal(page.texts('.claude-chat-sees span')[0], 'sees all 6 turns · below [8]');
  page.press('Enter');
  const [{ request }] = page.kernel.of('ask') as [IAsk];
  page.say({ type: 'begin', live: live('r', { request }) });
  page.say({ type: 'end', run: 'r', turn: turn('t'), error: '' });
  page.ask('And then?');
  assert.deepEqual(
    page.kernel.of('ask').map(ask => ask.whole),
    [true, true]
  );
  page.click('See less');
  assert.equal(page.kernel.of('preview').at(-1)!.whole, false);
});

test('whoever comes to write is told anew what goes along: cells may have been moved since', () => {
  const page = new Page({ host: { beforePreview: () => 'm-1' } });
  const before = page.kernel.of('preview').length;
  page.question.focus();
  assert.deepEqual(
    page.kernel
      .of('preview')
      .slice(before)
      .map(said => said.page),
    ['m-1']
  );
});

test('of a question that is edited the line says what that sees, until it is given up', () => {
  const page = new Page({ turns: [turn('a'), turn('b')] });
  page.say({ type: 'sees', seen: 1, all: 2, below: '[3]' });
  page.click('Edit the question');
  assert.equal(page.kernel.of('preview').at(-1)!.instead, 'a');
  page.say({ type: 'sees', seen: 0, all: 1, below: '[2]' });
  assert.equal(page.texts('.claude-chat-sees span')[0], 'sees 0 of 1 turn · below [2]');
  assert.ok(!page.has('See all'), 'it stands where it stood');
  page.press('Escape');
  assert.equal(page.kernel.of('preview').at(-1)!.instead, '');
});

test('a question that cannot be asked stands there again', () => {
  const page = new Page();
  const request = page.ask('{{ nothing }}');
  page.say({ type: 'notice', request, text: 'There is no nothing' });
  assert.equal(page.question.value, '{{ nothing }}');
  assert.ok(page.has('Send'));
});

test('a question that comes back does not take the place of what was written since', () => {
  const page = new Page();
  const request = page.ask('First');
  page.write('Second');
  page.say({ type: 'notice', request, text: 'no' });
  assert.equal(page.question.value, 'Second');
});

test('what could not be sent to another panel does not come back here', () => {
  const page = new Page();
  page.ask('Mine');
  page.say({ type: 'notice', request: 'of-another', text: 'no' });
  assert.equal(page.question.value, '');
  assert.ok(page.has('Stop'));
});

test('while a reply streams, Stop stands in the place of Send and stops that one', () => {
  const page = new Page();
  page.ask('Go on');
  assert.ok(page.has('Stop'));
  page.begin();
  page.write('Next');
  page.press('Enter');
  assert.equal(page.kernel.of('ask').length, 1);
  page.click('Stop');
  page.press('Escape');
  assert.deepEqual(
    page.kernel.of('stop').map(({ run }) => run),
    ['r', 'r']
  );
  page.say({ type: 'end', run: 'r', turn: turn('t', { status: 'interrupted' }), error: '' });
  assert.ok(page.has('Send'));
  assert.equal(page.question.value, 'Next');
});

test('a draft is not lost when what runs is over, a turn comes, or the kernel tells all anew', () => {
  const page = new Page({ turns: [turn('a')] });
  page.ask('One');
  page.begin();
  page.write('Two');
  page.say(
    { type: 'end', run: 'r', turn: turn('t'), error: '' },
    { type: 'turns', order: ['t'], turns: [], versions: {}, places: {} },
    { type: 'history', view: page.view, turns: [turn('t')], earlier: 0, live: [] }
  );
  assert.equal(page.question.value, 'Two');
});

test('before the history has come a question waits, and is sent then', () => {
  const page = new Page({ known: false });
  page.write('Early');
  page.press('Enter');
  assert.equal(page.kernel.of('ask').length, 0);
  page.say({ type: 'history', view: page.view, turns: [], earlier: 0, live: [] });
  assert.deepEqual(
    page.kernel.of('ask').map(({ text }) => text),
    ['Early']
  );
});

test('a question that waits and is written on is not sent by itself', () => {
  const page = new Page({ known: false });
  page.write('Early');
  page.press('Enter');
  page.write('Early, and');
  page.say({ type: 'history', view: page.view, turns: [], earlier: 0, live: [] });
  assert.equal(page.kernel.of('ask').length, 0);
});

test('each piece that would go along is a chip, and stays out when it was taken out', () => {
  const page = new Page();
  page.say({ type: 'carried', chips: [cell(1), cell(2)] });
  assert.deepEqual(page.texts('[role=listitem]'), ['[1] x', '[2] x']);
  page.click('Leave out [1] x');
  page.say({ type: 'carried', chips: [cell(1), cell(2), cell(3)] });
  assert.deepEqual(page.texts('[role=listitem]'), ['[2] x', '[3] x']);
  page.ask('Look');
  assert.deepEqual(page.kernel.of('ask')[0]!.without, [1]);
});

test('what was taken out and is not there any more is not named', () => {
  const page = new Page();
  page.say({ type: 'carried', chips: [cell(1)] });
  page.click('Leave out [1] x');
  page.say({ type: 'carried', chips: [cell(2)] });
  page.ask('Look');
  assert.deepEqual(page.kernel.of('ask')[0]!.without, []);
});

test('many cells are one chip, which takes all of them out; figures stay', () => {
  const page = new Page();
  const figure: IChip = { serial: 9, kind: 'figure', label: 'figure', detail: '', src: PNG };
  page.say({ type: 'carried', chips: [cell(1), cell(2), cell(3), cell(4), figure] });
  assert.deepEqual(page.texts('[role=listitem]'), ['4 cells', 'figure']);
  page.click('Leave out 4 cells');
  page.ask('Look');
  assert.deepEqual(page.kernel.of('ask')[0]!.without, [1, 2, 3, 4]);
});

test('a question waits for its picture, and takes it along', async () => {
  const page = new Page();
  assert.ok((await paste(page, ...files('ant.png'))).defaultPrevented);
  const { attachment, label } = page.kernel.of('attach')[0]!;
  assert.equal(label, 'ant.png');
  assert.equal(page.kernel.buffers.length, 1);
  page.write('What is it?');
  page.press('Enter');
  assert.equal(page.kernel.of('ask').length, 0);
  page.say({ type: 'attached', attachment, label, src: PNG, problem: '' });
  assert.deepEqual(page.kernel.of('ask')[0]!.attachments, [attachment]);
});

test('a picture that cannot be sent goes, and it is said why', async () => {
  const page = new Page();
  await paste(page, ...files('ant.png'));
  const { attachment, label } = page.kernel.of('attach')[0]!;
  page.say({ type: 'attached', attachment, label, src: '', problem: 'It is damaged.' });
  assert.deepEqual(page.texts('[role=listitem]'), []);
  assert.deepEqual(page.texts('[role=status]'), ['ant.png: It is damaged.']);
});

test('a picture can be taken out again', async () => {
  const page = new Page();
  await paste(page, ...files('ant.png', 'bee.png'));
  page.click('Leave out ant.png');
  assert.deepEqual(page.texts('[role=listitem]'), ['bee.png']);
});

test('a paste of text is the browser’s own', async () => {
  const page = new Page();
  const text = new File(['x'], 'x.txt', { type: 'text/plain' });
  assert.ok(!(await paste(page, text)).defaultPrevented);
  assert.equal(page.kernel.of('attach').length, 0);
});

test('a chip shows only a picture that stands in its own address', () => {
  const page = new Page();
  page.say({
    type: 'carried',
    chips: [
      { ...cell(1), src: 'http://host/x.png' },
      { ...cell(2), src: PNG }
    ]
  });
  const sources = page.all('.claude-chat-chip img').map(image => image.getAttribute('src'));
  assert.deepEqual(sources, [PNG]);
});

test('an edited question takes the place of the first with the pictures that are kept', () => {
  const image = { label: 'Image 1', src: PNG, width: 1, height: 1 };
  const first = turn('a', {
    asked: { ...turn('a').asked, images: [image, { ...image, label: 'Image 2' }] }
  });
  const page = new Page({ turns: [first] });
  page.say({ type: 'carried', chips: [cell(1)] });
  page.click('Edit the question');
  assert.equal(page.question.value, 'Question a');
  assert.deepEqual(page.texts('[role=listitem]'), ['Image 1', 'Image 2']);
  page.click('Leave out Image 1');
  page.press('Enter');
  const { instead, keep, without } = page.kernel.of('ask')[0]!;
  assert.deepEqual({ instead, keep, without }, { instead: 'a', keep: [1], without: [] });
});

test('Escape leaves an edit, and asks a new question', () => {
  const page = new Page({ turns: [turn('a')] });
  page.click('Edit the question');
  page.press('Escape');
  assert.equal(page.question.value, '');
  page.ask('New');
  assert.equal(page.kernel.of('ask')[0]!.instead, '');
});
