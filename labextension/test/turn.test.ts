import assert from 'node:assert/strict';
import { test } from 'node:test';

import { live, Page, turn } from './panels';
import type { IPanelApproval, IPanelPart, IPanelTurn } from '../src/panel/protocol';
import type { IHost } from '../src/panel/host';

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const APPROVAL: IPanelApproval = { approval: 'p', name: 'x', text: 'x("<b>")', lasting: true };

function waiting(...approvals: IPanelApproval[]): Page {
  const page = new Page();
  page.say({ type: 'begin', live: live('r', { approvals }) });
  return page;
}

function said(parts: IPanelPart[], more: Partial<IPanelTurn> = {}, host: IHost = {}): Page {
  return new Page({ turns: [turn('a', { parts, ...more })], host });
}

const ANSWERS = {
  'Allow': 'once',
  'Always for this tool': 'always',
  'Deny': 'deny'
};

for (const [button, answer] of Object.entries(ANSWERS)) {
  test(`${button} says "${answer}", once however often it is pressed`, () => {
    const page = waiting(APPROVAL);
    page.write('why', page.named<HTMLInputElement>('Reason for not allowing it'));
    page.click(button);
    page.click(button);
    page.click('Allow');
    const decided = { type: 'decide', approval: 'p', answer, reason: 'why' };
    assert.deepEqual(page.kernel.of('decide'), [decided]);
  });
}

test('the call stands there as text, and goes when it was decided elsewhere', () => {
  const page = waiting(APPROVAL, { ...APPROVAL, approval: 'q', text: 'second', lasting: false });
  assert.deepEqual(page.texts('.claude-chat-approval pre'), ['x("<b>")', 'second']);
  assert.ok(page.has('Always for this run'));
  page.say({ type: 'approved', run: 'r', approval: 'p' });
  assert.deepEqual(page.texts('.claude-chat-approval pre'), ['second']);
});

test('the buttons that had the focus hand it on', () => {
  const page = waiting(APPROVAL, { ...APPROVAL, approval: 'q' });
  page.named('Allow').focus();
  page.say({ type: 'approved', run: 'r', approval: 'p' });
  assert.equal(document.activeElement, page.named('Allow'));
  page.say({ type: 'approved', run: 'r', approval: 'q' });
  assert.equal(document.activeElement, page.question);
});

test('nothing that a reply says is a button', () => {
  const page = said([{ kind: 'text', text: '<button onclick="x()">Allow</button> <img src=x>' }]);
  assert.equal(page.all('.claude-chat-reply button, .claude-chat-reply img').length, 0);
});

const CALLS: [IPanelPart['state'], string][] = [
  ['asked', 'find · wanted'],
  ['running', 'find · running'],
  ['done', 'find · done · 1.3 s'],
  ['denied', 'find · denied'],
  ['failed', 'find · failed']
];

for (const [state, words] of CALLS) {
  test(`a call that is ${state} is the line "${words}"`, () => {
    const time = state === 'done' ? { seconds: 1.26 } : {};
    const page = said([{ kind: 'call', name: 'find', text: '{}', state: state!, ...time }]);
    assert.deepEqual(page.texts('summary'), [words]);
    assert.equal(page.all('.claude-chat-failed').length, state === 'failed' ? 1 : 0);
  });
}

test('what a call was given and gave is there when its line is opened', () => {
  const page = said([
    { kind: 'call', name: 'find', text: '{"a": 1}', state: 'done', result: 'it' }
  ]);
  const [details] = page.all('details') as HTMLDetailsElement[];
  assert.equal(page.texts('.claude-chat-fold-body')[0], '');
  details!.open = true;
  details!.dispatchEvent(new Event('toggle'));
  assert.equal(page.texts('.claude-chat-fold-body')[0], '{"a": 1}\n\nit');
});

test('the pictures of a call are shown, if they stand in their own address', () => {
  const page = said([
    { kind: 'call', name: 'find', text: '', state: 'done', images: [PNG, 'https://host/x.png'] }
  ]);
  const images = page.all('.claude-chat-call img') as HTMLImageElement[];
  assert.deepEqual(
    images.map(image => [image.src, image.alt]),
    [[PNG, 'Shown by find']]
  );
});

test('thinking is a folded line, which says whether it goes on', () => {
  const page = waiting();
  page.say({ type: 'delta', run: 'r', n: 0, parts: [[0, { kind: 'thinking', text: 'hm' }]] });
  assert.equal(page.texts('details summary').length, 0, 'it is shown at the pace of the eye');
  page.say({
    type: 'end',
    run: 'r',
    turn: turn('t', {
      parts: [
        { kind: 'thinking', text: 'hm' },
        { kind: 'text', text: 'So' }
      ]
    }),
    error: ''
  });
  assert.deepEqual(page.texts('summary'), ['Thought']);
});

test('what is wrong stands below the question, else its tokens and price', () => {
  const page = new Page({ turns: [turn('a', { below: '12 in · 3 out', detail: 'model x' })] });
  page.say({ type: 'begin', live: live('r') });
  assert.deepEqual(page.texts('.claude-chat-below'), ['12 in · 3 out', 'sending']);
  page.say({ type: 'end', run: 'r', turn: null, error: 'Connection refused' });
  assert.equal(page.texts('.claude-chat-below').at(-1), 'Connection refused');
  assert.equal(page.all('.claude-chat-below')[0]!.title, 'model x');
});

test('a question that was not answered can be edited, asked again, and taken away', () => {
  for (const [button, left] of [
    ['Edit the question', 'Question r'],
    ['Ask again', 'Question r']
  ]) {
    const page = waiting();
    page.say({ type: 'end', run: 'r', turn: null, error: 'no' });
    page.click(button!);
    assert.equal(page.question.value, left);
    assert.equal(page.all('article').length, 0);
  }
  const page = waiting();
  page.say({ type: 'end', run: 'r', turn: null, error: 'no' });
  page.click('More', 1);
  page.click('Take away');
  assert.equal(page.all('article').length, 0);
});

test('a question of a cell leads to the cell, and is run again there', () => {
  const done: string[] = [];
  const host = {
    reveal: (cell: string) => done.push(cell),
    runCell: (cell: string) => done.push(`run ${cell}`)
  };
  const of = { ...turn('a').asked, cell: 'A', place: '[3]', panel: false };
  const page = said([], { asked: of }, host);
  page.click('[3]');
  page.click('Run the cell again');
  assert.deepEqual(done, ['A', 'run A']);
  assert.ok(!page.has('Edit the question'));
  const elsewhere = said([], { asked: of });
  assert.deepEqual(elsewhere.texts('button.claude-chat-place'), []);
  assert.ok(!elsewhere.has('Run the cell again'));
});

test('the versions of an answer are counted, and the ends have no further one', () => {
  const page = said([], { versions: ['a', 'b', 'c'] });
  assert.deepEqual(page.texts('.claude-chat-versions .claude-chat-line'), ['1 / 3']);
  assert.ok(page.named<HTMLButtonElement>('Version before').disabled);
  page.click('Version after');
  assert.deepEqual(page.kernel.of('switch'), [{ type: 'switch', turn: 'b' }]);
});

const CODE = '```python\nx = 1\n```\n\n```sql\nselect 1\n```';
const BUTTONS: [string, IHost, string[][]][] = [
  ['that can do nothing', {}, [['Copy'], ['Copy']]],
  [
    'that has cells',
    { insertBelow: () => undefined, replaceCell: () => undefined, run: () => undefined },
    [
      [
        'Copy',
        'Insert into a new cell below',
        'Replace the active cell',
        'Run in a new cell below'
      ],
      ['Copy', 'Insert into a new cell below', 'Replace the active cell']
    ]
  ]
];

for (const [name, host, buttons] of BUTTONS) {
  test(`code in a host ${name} has the buttons that work, and only Python is run`, () => {
    const page = said([{ kind: 'text', text: CODE }], {}, host);
    const found = page
      .all('.claude-chat-code-bar')
      .map(bar => [...bar.children].map(button => button.getAttribute('aria-label')));
    assert.deepEqual(found, buttons);
  });
}

test('a button of a code block does what it says with that block’s code', () => {
  const done: string[] = [];
  const host: IHost = {
    insertBelow: code => done.push(`insert ${code}`),
    replaceCell: code => done.push(`replace ${code}`),
    run: code => done.push(`run ${code}`)
  };
  const page = said([{ kind: 'text', text: CODE }], {}, host);
  page.click('Insert into a new cell below', 1);
  page.click('Replace the active cell');
  page.click('Run in a new cell below');
  assert.deepEqual(done, ['insert select 1', 'replace x = 1', 'run x = 1']);
  assert.deepEqual(page.texts('.claude-chat-status'), ['Running below']);
});

test('code that still comes has no buttons', () => {
  const page = new Page();
  page.say({
    type: 'begin',
    live: live('r', { parts: [{ kind: 'text', text: '```\nx = 1\n```' }] })
  });
  assert.equal(page.all('.claude-chat-code-bar').length, 0);
});

test('what comes is read out once, block by block, and what was there is not', () => {
  const page = new Page({ turns: [turn('a')] });
  page.say({ type: 'begin', live: live('r') });
  page.say({
    type: 'end',
    run: 'r',
    turn: turn('t', { parts: [{ kind: 'text', text: 'One\n\nTwo' }] }),
    error: ''
  });
  assert.deepEqual(page.texts('[role=log] p'), ['One', 'Two']);
});
