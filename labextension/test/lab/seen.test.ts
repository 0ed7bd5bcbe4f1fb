import { ended } from './browser';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { IMarkdownCellModel } from '@jupyterlab/cells';
import { NotebookModel } from '@jupyterlab/notebook';

import { Changes } from '../../src/changes';
import type { IToldCell } from '../../src/messages';
import { Seen } from '../../src/seen';

const PNG = 'aQ==';

/** A page of one Markdown cell with these attachments, and what is told of what it shows. */
class Page {
  readonly model = ended(new NotebookModel());
  readonly seen = new Seen();
  readonly changes: Changes;

  constructor(attachments: object) {
    const cell = { id: 'a', cell_type: 'markdown', source: '![](attachment:p.png)', metadata: {} };
    const cells = [{ ...cell, attachments: attachments as Record<string, never> }];
    this.model.fromJSON({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });
    this.changes = new Changes(this.model.cells);
  }

  get cell(): IMarkdownCellModel {
    return this.model.cells.get(0) as IMarkdownCellModel;
  }

  get told(): IToldCell[] {
    const messages = this.seen.news([this.cell], cell => this.changes.version(cell));
    return messages.flatMap(message => message.cells);
  }
}

function picture(attachment: string, data: object): object {
  return { output_type: 'display_data', data, metadata: { attachment } };
}

for (const [name, attachments, outputs] of [
  ['one', { 'p.png': { 'image/png': PNG } }, [picture('p.png', { 'image/png': PNG })]],
  [
    'of several forms',
    {
      'p': { 'image/png': PNG, 'text/plain': 'p', 'image/gif': 'R0' },
      'q.webp': { 'image/webp': 'U' }
    },
    [
      picture('p', { 'image/png': PNG, 'image/gif': 'R0' }),
      picture('q.webp', { 'image/webp': 'U' })
    ]
  ],
  ['none', {}, null],
  ['no picture', { 'n.txt': { 'text/plain': 'n' } }, null]
] as const) {
  test(`pictures attached to Markdown are told with their names, once: ${name}`, () => {
    const page = new Page(attachments);
    assert.deepEqual(page.told, outputs ? [{ id: 'a', source: '', outputs }] : []);
    assert.deepEqual(page.told, []);
  });
}

test('a picture is told again when it is another, forgotten when it goes, and not for its text', () => {
  const page = new Page({ 'p.png': { 'image/png': PNG } });
  assert.equal(page.told.length, 1);
  page.cell.sharedModel.setSource('# Another text');
  assert.deepEqual(page.told, []);
  page.cell.attachments.set('p.png', { 'image/png': 'ag==' });
  const outputs = [picture('p.png', { 'image/png': 'ag==' })];
  assert.deepEqual(page.told, [{ id: 'a', source: '', outputs }]);
  page.cell.attachments.clear();
  assert.deepEqual(page.told, [{ id: 'a', source: '', outputs: [] }]);
  assert.deepEqual(page.told, []);
});
