import { ended } from './browser';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { IMarkdownCellModel } from '@jupyterlab/cells';
import type { IOutput } from '@jupyterlab/nbformat';
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

/** What is told of an output that holds this. */
function told(data: object): unknown {
  const model = ended(new NotebookModel());
  const shown = { output_type: 'display_data', data, metadata: {} };
  const cell = { id: 'a', cell_type: 'code', source: '1', metadata: {}, execution_count: 1 };
  const cells = [{ ...cell, outputs: [shown as IOutput] }];
  model.fromJSON({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells });
  const changes = new Changes(model.cells);
  const messages = new Seen().news([model.cells.get(0)], each => changes.version(each));
  return (messages[0]?.cells[0]?.outputs[0] as { data: unknown } | undefined)?.data;
}

const TABLE = '<table><tr><td>1</td></tr></table>';
const OBJECT = '<module.Thing at 0x7f>';
const IMG = `<img src="data:image/png;base64,${PNG}">`;
const WIDGET = 'application/vnd.jupyter.widget-view+json';

for (const [name, data, expected] of [
  ['a picture of any kind', { 'image/webp': PNG }, { 'image/webp': PNG }],
  ['HTML alone', { 'text/html': TABLE }, { 'text/html': TABLE }],
  [
    'HTML beside a text that says it',
    { 'text/html': TABLE, 'text/plain': '  a\n0 1' },
    { 'text/plain': '  a\n0 1' }
  ],
  [
    'HTML beside the name of an object',
    { 'text/html': TABLE, 'text/plain': OBJECT },
    { 'text/html': TABLE, 'text/plain': OBJECT }
  ],
  [
    'HTML that holds a picture',
    { 'text/html': IMG, 'text/plain': 'a picture' },
    { 'text/html': IMG, 'text/plain': 'a picture' }
  ],
  ['HTML beside a picture', { 'text/html': IMG, 'image/png': PNG }, { 'image/png': PNG }],
  [
    'HTML of which nobody reads all',
    { 'text/html': 'x'.repeat(2_000_001), 'text/plain': OBJECT },
    { 'text/plain': OBJECT }
  ],
  [
    'what is named only',
    { 'application/pdf': 'JVBE', 'video/mp4': 'AA', [WIDGET]: { model_id: 'm' } },
    { 'application/pdf': '', 'video/mp4': '', [WIDGET]: '' }
  ]
] as const) {
  test(`of an output that the kernel did not see, this is told: ${name}`, () => {
    assert.deepEqual(told(data), expected);
  });
}
