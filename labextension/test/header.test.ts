import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Page, STATE, turn } from './panels';

function choose(page: Page, model: string): void {
  const list = page.named<HTMLSelectElement>('Model');
  list.value = model;
  list.dispatchEvent(new Event('change', { bubbles: true }));
}

test('the line at the top says the notebook, what was spent, and of what', () => {
  const page = new Page();
  page.say({ ...STATE, server: 'gateway.example' });
  assert.deepEqual(page.texts('.claude-chat-title'), ['page']);
  assert.deepEqual(page.texts('.claude-chat-spent'), ['$0.01']);
  assert.equal(page.all('.claude-chat-spent')[0]!.title, 'This kernel: $0.01');
  assert.deepEqual(page.texts('.claude-chat-server'), ['gateway.example']);
});

test('the front end knows the name of a notebook before the kernel does', () => {
  const page = new Page({ host: { name: () => 'renamed' } });
  assert.deepEqual(page.texts('.claude-chat-title'), ['renamed']);
});

test('a model that is chosen here goes with the question, the one in force as none', () => {
  const page = new Page();
  page.ask('One');
  page.begin();
  page.say({ type: 'end', run: 'r', turn: turn('t'), error: '' });
  choose(page, 'opus');
  assert.equal(page.named('Model').title, 'Model: $5 in');
  page.ask('Two');
  assert.deepEqual(
    page.kernel.of('ask').map(({ model }) => model),
    ['', 'opus']
  );
});

test('what was chosen stays when the kernel tells its models again, if it is among them', () => {
  const page = new Page();
  choose(page, 'opus');
  page.say(STATE);
  assert.equal(page.named<HTMLSelectElement>('Model').value, 'opus');
  page.say({ ...STATE, models: STATE.models.slice(0, 1) });
  assert.equal(page.named<HTMLSelectElement>('Model').value, 'sonnet');
});

test('a model that no list names can be the one in force', () => {
  const page = new Page();
  page.say({ ...STATE, model: 'local' });
  const list = page.named<HTMLSelectElement>('Model');
  assert.deepEqual(
    [...list.options].map(({ value }) => value),
    ['local', 'sonnet', 'opus']
  );
  assert.equal(list.value, 'local');
});

test('the panel can be shown beside the notebook where there is a place', () => {
  let docked = 0;
  const page = new Page({ host: { dock: () => (docked += 1) } });
  page.click('Show beside the notebook');
  assert.equal(docked, 1);
  assert.ok(!new Page().has('Show beside the notebook'));
});

test('the menu goes round by the arrows, and gives the focus back', () => {
  const page = new Page();
  const focused = (): string | null => document.activeElement!.textContent;
  page.click('More');
  assert.match(focused()!, /Markdown/);
  const menu = page.all('[role=menu]')[0]!;
  page.press('ArrowUp', document.activeElement as HTMLElement);
  assert.match(focused()!, /Python/);
  page.press('ArrowDown', document.activeElement as HTMLElement);
  assert.match(focused()!, /Markdown/);
  page.press('End', document.activeElement as HTMLElement);
  assert.match(focused()!, /Python/);
  page.press('Escape', menu);
  assert.equal(page.all('[role=menu]').length, 0);
  assert.equal(document.activeElement, page.named('More'));
});

test('a click elsewhere closes the menu, and chooses nothing', () => {
  const page = new Page();
  page.click('More');
  page.question.dispatchEvent(new Event('pointerdown', { bubbles: true }));
  assert.equal(page.all('[role=menu]').length, 0);
  assert.equal(page.kernel.of('export').length, 0);
});
