import assert from 'node:assert/strict';
import { test } from 'node:test';

import { live, Page, turn } from './panels';

function prompts(page: Page): string[] {
  return page.texts('.claude-chat-prompt').map(text => text.replace('Question ', ''));
}

function find(page: Page, words: string): string {
  page.write(words, page.named<HTMLInputElement>('Search this conversation'));
  return page.texts('.claude-chat-search [role=status]')[0]!;
}

/** The elements that were brought into view since. */
function scrolledTo(): Element[] {
  const found: Element[] = [];
  document.addEventListener('scrolled-to', event =>
    found.push((event as CustomEvent<Element>).detail)
  );
  return found;
}

test('the turns stand in their order, and move with it', () => {
  const page = new Page({ turns: [turn('a'), turn('b')] });
  assert.deepEqual(prompts(page), ['a', 'b']);
  const [, second] = page.all('article');
  page.say({ type: 'turns', order: ['b', 'a'], turns: [], versions: {}, places: {} });
  assert.deepEqual(prompts(page), ['b', 'a']);
  assert.equal(page.all('article')[0], second, 'it is the same one, moved');
});

test('earlier turns are asked for from the first that is there', () => {
  const page = new Page({ turns: [turn('b')], earlier: 1 });
  page.click('Show earlier turns');
  assert.deepEqual(page.kernel.of('earlier'), [{ type: 'earlier', before: 'b' }]);
  page.say({ type: 'earlier', turns: [turn('a')], earlier: 0 });
  assert.deepEqual(prompts(page), ['a', 'b']);
  assert.ok(!page.has('Show earlier turns'));
});

test('before the first question examples stand there; one that is chosen is written, not sent', () => {
  const page = new Page();
  const [example] = page.texts('.claude-chat-example');
  page.click(example!);
  assert.equal(page.question.value, example);
  assert.equal(page.kernel.of('ask').length, 0);
  page.say({ type: 'begin', live: live('r') });
  assert.deepEqual(page.texts('.claude-chat-example'), []);
});

test('before the history has come nothing says that there is no question', () => {
  assert.deepEqual(new Page({ known: false }).texts('.claude-chat-example'), []);
});

test('a turn that goes and had the focus gives it to where a question is written', () => {
  const page = new Page({ turns: [turn('a')] });
  page.all('.claude-chat-prompt')[0]!.focus();
  page.say({ type: 'turns', order: [], turns: [], versions: {}, places: {} });
  assert.equal(document.activeElement, page.question);
});

test('what streams is shown soon, and whole at its end', async () => {
  const page = new Page();
  page.say({ type: 'begin', live: live('r') });
  page.say({ type: 'delta', run: 'r', n: 0, parts: [[0, { kind: 'text', text: 'First ' }]] });
  while (page.texts('.claude-chat-text').length === 0) {
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  assert.equal(page.texts('.claude-chat-below')[0], 'writing');
  page.say(
    { type: 'delta', run: 'r', n: 1, parts: [[0, { kind: 'text', text: 'words' }]] },
    {
      type: 'end',
      run: 'r',
      turn: turn('t', { parts: [{ kind: 'text', text: 'First words' }] }),
      error: ''
    }
  );
  assert.deepEqual(page.texts('.claude-chat-text'), ['First words']);
});

test('a delta that was lost has the panel ask for everything again', () => {
  const page = new Page();
  page.say({ type: 'begin', live: live('r') });
  page.say({ type: 'delta', run: 'r', n: 3, parts: [] });
  assert.equal(page.kernel.of('hello').length, 2);
});

test('Ctrl+F finds words in questions and answers, the last ones first, and goes round', () => {
  const page = new Page({ turns: [turn('a'), turn('b'), turn('c')] });
  const seen = scrolledTo();
  page.press('f', page.question, { ctrlKey: true });
  const bar = page.named('Search this conversation');
  assert.equal(document.activeElement, bar);
  assert.equal(find(page, 'ANSWER'), '3 of 3');
  const answers = page.all('.claude-chat-text');
  assert.ok(answers[2]!.contains(seen.at(-1)!));
  page.press('Enter', bar);
  assert.ok(answers[0]!.contains(seen.at(-1)!));
  page.press('Enter', bar, { shiftKey: true });
  assert.ok(answers[2]!.contains(seen.at(-1)!));
  page.click('Match before');
  assert.ok(answers[1]!.contains(seen.at(-1)!));
  assert.equal(page.texts('.claude-chat-search [role=status]')[0], '2 of 3');
});

test('what is not there is said, and nothing is asked for nothing', () => {
  const page = new Page({ turns: [turn('a')] });
  page.click('Search');
  assert.equal(find(page, 'zebra'), 'none');
  assert.equal(find(page, '  '), '');
});

test('a search brings the earlier turns, and counts what is in them', () => {
  const page = new Page({ turns: [turn('b')], earlier: 1 });
  page.click('Search');
  assert.deepEqual(page.kernel.of('earlier')[0], { type: 'earlier', before: 'b' });
  find(page, 'answer');
  page.say({ type: 'earlier', turns: [turn('a')], earlier: 0 });
  assert.match(page.texts('.claude-chat-search [role=status]')[0]!, /of 2$/);
});

test('Escape closes the search, and a question can be written', () => {
  const page = new Page({ turns: [turn('a')] });
  page.click('Search');
  page.press('Escape', page.named('Search this conversation'));
  assert.equal(page.all('.claude-chat-search').length, 0);
  assert.equal(document.activeElement, page.question);
});
