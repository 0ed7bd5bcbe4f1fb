import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { IOutputModel } from '@jupyterlab/rendermime';

import { adler32, bare, describe, isDescribable } from '../src/alt';
import { kernelSays } from '../src/messages';

/** An output that keeps its metadata as JupyterLab's model does. */
function output(data: object, metadata: object = {}): IOutputModel {
  const made = {
    data,
    metadata,
    setData: (given: { metadata: object }) => {
      made.metadata = given.metadata;
    }
  };
  return made as unknown as IOutputModel;
}

test('the sum is that of zlib', () => {
  assert.equal(adler32('Wikipedia'), 0x11e60398);
  assert.equal(adler32(''), 1);
});

test('base64 in several lines is the same image', () => {
  assert.equal(bare(['iVBO\n', 'Rw0K\n']), bare('iVBORw0K'));
  assert.equal(bare({ a: 1 }), '');
});

test('each image of an output gets the text, and nothing else changes until it is taken back', () => {
  const held = { 'image/png': { width: 300 }, 'needs_background': 'light' };
  const shown = output({ 'image/png': 'AA==', 'image/svg+xml': '<svg/>', 'text/plain': 'x' }, held);
  const undo = describe(shown, '<b>A</b>');
  assert.deepEqual(shown.metadata, {
    'image/png': { width: 300, alt: '<b>A</b>' },
    'image/svg+xml': { alt: '<b>A</b>' },
    'needs_background': 'light'
  });
  undo();
  assert.deepEqual(shown.metadata, held);
});

test('what was changed since is not taken back', () => {
  const shown = output({ 'image/png': 'AA==' });
  const undo = describe(shown, 'one');
  describe(shown, 'two');
  undo();
  assert.deepEqual(shown.metadata, { 'image/png': { alt: 'two' } });
});

test('text has no alt text', () => {
  assert.equal(isDescribable(output({ 'text/plain': 'x' })), false);
});

test('the kernel is believed only what is an alt text', () => {
  const good = { type: 'alt', cell: 'c', kind: 'image/png', length: 4, sum: 5, alt: 'A line' };
  assert.deepEqual(kernelSays(good), good);
  const bad = [{ kind: 'text/html' }, { length: '4' }, { sum: 0.5 }, { alt: 1 }, { cell: null }];
  bad.forEach(changed => assert.equal(kernelSays({ ...good, ...changed }), null));
});
