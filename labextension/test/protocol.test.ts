import assert from 'node:assert/strict';
import { test } from 'node:test';

import { messagesOf, safeImage } from '../src/panel/protocol';

const words = { title: '', model: 'm', spent: '$0', detail: '', server: '' };
const state = { type: 'state', models: [], ...words };

test('a batch gives its messages, and passes over what is none', () => {
  const unknown = [null, 1, {}, { type: 'run_code' }, { type: 'delta', run: 'r' }];
  assert.deepEqual(messagesOf({ messages: [...unknown, state] }), [state]);
});

test('what is no batch holds none', () => {
  for (const content of [null, undefined, 'x', [], { messages: 'x' }, { messages: {} }]) {
    assert.deepEqual(messagesOf(content), []);
  }
});

test('a turn whose parts are none is not shown', () => {
  const end = { type: 'end', run: 'r', error: '' };
  assert.equal(messagesOf({ messages: [{ ...end, turn: { id: 't' } }] }).length, 0);
  assert.equal(messagesOf({ messages: [{ ...end, turn: null }] }).length, 1);
});

test('only a picture that stands in its own address is shown', () => {
  const good = 'data:image/png;base64,iVBORw0KGgo=';
  assert.equal(safeImage(good), good);
  const bad = [
    'http://127.0.0.1/x.png',
    '//host/x.png',
    'data:image/svg+xml;base64,PHN2Zz4=',
    'data:text/html;base64,PGI+',
    'javascript:alert(1)',
    'data:image/png;base64,x" onerror="alert(1)'
  ];
  bad.forEach(src => assert.equal(safeImage(src), '', src));
});
