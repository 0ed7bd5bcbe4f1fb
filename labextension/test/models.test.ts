import './browser';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { element, newId } from '../src/panel/elements/dom';
import { Emitter } from '../src/panel/emitter';
import { bytesOf, picturesOf } from '../src/panel/pictures';
import { render } from '../src/panel/render';
import { Kernel } from './panels';

class Bell extends Emitter<{ rung: number }> {
  ring(times: number): void {
    this.emit('rung', times);
  }
}

test('who listens is told until they have had enough', () => {
  const bell = new Bell();
  const heard: number[] = [];
  bell.ring(1);
  const stop = bell.on('rung', times => heard.push(times));
  bell.ring(2);
  stop();
  bell.ring(3);
  assert.deepEqual(heard, [2]);
});

test('of what is pasted or dropped only pictures are taken', () => {
  const files = ['image/png', 'text/html', 'image/jpeg'].map(
    type => new File(['x'], type, { type })
  );
  const found = picturesOf({ files } as unknown as DataTransfer);
  assert.deepEqual(
    found.map(({ name }) => name),
    ['image/png', 'image/jpeg']
  );
  assert.deepEqual(picturesOf(null), []);
});

test('a picture of a usual size is sent as it is', async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  assert.deepEqual(new Uint8Array(await bytesOf(new Blob([bytes]))), bytes);
});

test('an element is made of attributes, listeners and children; what is not there is left out', () => {
  let clicks = 0;
  const made = element(
    'button',
    { type: 'button', hidden: true, disabled: false, title: undefined, click: () => (clicks += 1) },
    'a<b>',
    null,
    false,
    element('i')
  );
  made.click();
  assert.equal(clicks, 1);
  assert.equal(made.outerHTML, '<button type="button" hidden="">a&lt;b&gt;<i></i></button>');
});

test('two ids are not the same, and are such as the kernel takes', () => {
  assert.notEqual(newId(), newId());
  assert.match(newId(), /^[0-9a-f]{32}$/);
});

test('a panel that is taken away leaves its place empty', () => {
  const el = document.createElement('div');
  const remove = render({ model: new Kernel(), el });
  assert.equal(el.childElementCount, 1);
  remove();
  assert.equal(el.childElementCount, 0);
});
