import assert from 'node:assert/strict';
import { test } from 'node:test';

import { diff } from '../src/lab/diff';

function shown(before: string, after: string): string {
  const marks = { same: ' ', gone: '-', new: '+' };
  return diff(before, after)
    .map(({ kind, text }) => marks[kind] + text)
    .join('\n');
}

test('a changed line is the old one and then the new one', () => {
  assert.equal(shown('a\nb\nc', 'a\nB\nc'), ' a\n-b\n+B\n c');
});

test('lines that came and went stand where they did', () => {
  assert.equal(shown('a\nb', 'x\na\nb\ny'), '+x\n a\n b\n+y');
  assert.equal(shown('x\na\nb\ny', 'a\nb'), '-x\n a\n b\n-y');
});

test('two texts that share nothing are both shown whole', () => {
  assert.equal(shown('a\nb', 'c'), '-a\n-b\n+c');
});

test('whatever changed, both texts can be read from it', () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  const text = (): string => Array.from({ length: random(12) }, () => 'abc'[random(3)]).join('\n');
  for (let round = 0; round < 300; round += 1) {
    const [before, after] = [text(), text()];
    const lines = diff(before, after);
    const without = (kind: string): string =>
      lines
        .filter(line => line.kind !== kind)
        .map(line => line.text)
        .join('\n');
    assert.equal(without('new'), before);
    assert.equal(without('gone'), after);
  }
});

test('very long texts are compared all the same, and soon', () => {
  const before = Array.from({ length: 9_000 }, (_, n) => `a${n}`).join('\n');
  const after = Array.from({ length: 9_000 }, (_, n) => `b${n}`).join('\n');
  assert.equal(diff(before, after).length, 18_000);
});
