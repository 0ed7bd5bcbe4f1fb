import { ended } from './browser';

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ICodeCellModel } from '@jupyterlab/cells';
import { NotebookModel } from '@jupyterlab/notebook';

import { Changes } from '../../src/changes';
import type { IChangedCell } from '../../src/messages';

const PRINTED = { output_type: 'stream', name: 'stdout', text: '1\n' };

/** A notebook with these cells, each `kind:source`, whose ids are a, b, c. */
function notebook(...cells: string[]): NotebookModel {
  const model = ended(new NotebookModel());
  model.fromJSON({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: cells.map((cell, n) => {
      const [cell_type, source] = cell.split(':') as [string, string];
      const rest = cell_type === 'code' ? { outputs: [], execution_count: null } : {};
      return { id: 'abc'[n]!, cell_type, source, metadata: {}, ...rest };
    })
  });
  return model;
}

/** What is told of the cells that changed, in one message or none. */
function news(changes: Changes): IChangedCell[] {
  const messages = changes.news();
  assert.ok(messages.length <= 1);
  return messages.flatMap(message => message.cells);
}

function code(model: NotebookModel, index: number): ICodeCellModel {
  return model.cells.get(index) as ICodeCellModel;
}

const UNRUN = { count: null, outputs: 0, tags: [] };
const A = { id: 'a', kind: 'code', source: '1', ...UNRUN };
const B = { id: 'b', kind: 'markdown', source: '# B', ...UNRUN };
const C = { id: 'c', kind: 'raw', source: 'c', ...UNRUN };

test('a page that is new is told whole, once', () => {
  const changes = new Changes(notebook('code:1', 'markdown:# B', 'raw:c').cells);
  assert.deepEqual(news(changes), [A, B, C]);
  assert.deepEqual(news(changes), []);
  changes.forget();
  assert.deepEqual(news(changes), [A, B, C]);
  assert.deepEqual(news(changes), []);
});

/** What somebody does to a page of a code, a Markdown and a raw cell, and what is told of it. */
const DEEDS: Record<
  string,
  [(model: NotebookModel) => unknown, Record<string, unknown>[], boolean]
> = {
  'nothing': [() => undefined, [], false],
  'looks at it': [model => Array.from(model.cells, cell => cell.toJSON()), [], false],
  'edits code': [
    model => model.cells.get(0).sharedModel.updateSource(1, 1, '2'),
    [{ ...A, source: '12' }],
    false
  ],
  'edits Markdown': [
    model => model.cells.get(1).sharedModel.setSource('# C'),
    [{ ...B, source: '# C' }],
    false
  ],
  'edits raw text': [
    model => model.cells.get(2).sharedModel.setSource(''),
    [{ ...C, source: '' }],
    false
  ],
  'tags a cell': [
    model => model.cells.get(1).setMetadata('tags', ['fig', 1, 'x'.repeat(101)]),
    [{ ...B, source: undefined, tags: ['fig'] }],
    false
  ],
  'writes tags that are none': [
    model => model.cells.get(1).setMetadata('tags', 'fig'),
    [{ ...B, source: undefined }],
    false
  ],
  'runs a cell': [
    model => {
      code(model, 0).executionState = 'running';
      code(model, 0).outputs.add(PRINTED);
      code(model, 0).executionCount = 7;
      code(model, 0).executionState = 'idle';
    },
    [{ ...A, source: undefined, count: 7, outputs: 1 }],
    false
  ],
  'has a cell run that prints': [
    model => {
      code(model, 0).executionState = 'running';
      code(model, 0).outputs.add(PRINTED);
    },
    [{ ...A, source: undefined, outputs: null }],
    false
  ],
  'clears outputs': [
    model => {
      code(model, 0).outputs.add(PRINTED);
      code(model, 0).clearExecution();
    },
    [{ ...A, source: undefined }],
    false
  ],
  'attaches a picture': [
    model =>
      (model.cells.get(1) as never as { attachments: Map<string, object> }).attachments.set(
        'p.png',
        { 'image/png': 'aQ==' }
      ),
    [{ ...B, source: undefined }],
    false
  ],
  'inserts a cell': [
    model => model.sharedModel.insertCell(1, { id: 'd', cell_type: 'code', source: 'd' }),
    [{ ...A, id: 'd', source: 'd' }],
    true
  ],
  'deletes a cell': [model => model.sharedModel.deleteCell(0), [], true],
  'deletes a cell that was edited': [
    model => {
      model.cells.get(0).sharedModel.setSource('2');
      model.sharedModel.deleteCell(0);
    },
    [],
    true
  ],
  'deletes a cell and takes that back': [
    model => {
      model.sharedModel.deleteCell(0);
      model.sharedModel.insertCell(0, { id: 'a', cell_type: 'code', source: '1' });
    },
    [A],
    true
  ],
  'moves a cell': [model => model.sharedModel.moveCell(0, 2), [A], true],
  'edits a cell and moves it': [
    model => {
      model.cells.get(1).sharedModel.setSource('# C');
      model.sharedModel.moveCell(1, 0);
    },
    [{ ...B, source: '# C' }],
    true
  ],
  'makes code of Markdown': [
    model =>
      model.sharedModel.transact(() => {
        model.sharedModel.deleteCell(1);
        model.sharedModel.insertCell(1, { id: 'b', cell_type: 'code', source: '# B' });
      }),
    [{ ...B, kind: 'code' }],
    true
  ],
  'opens the file again': [
    model => model.fromJSON(notebook('code:3').toJSON()),
    [{ ...A, source: '3' }],
    true
  ]
};

for (const [name, [deed, told, isMoved]] of Object.entries(DEEDS)) {
  test(`only what changed is told, once, when somebody ${name}`, () => {
    const model = notebook('code:1', 'markdown:# B', 'raw:c');
    const changes = new Changes(model.cells);
    changes.news();
    changes.isMoved = false;
    deed(model);
    // A field without a value is none in a message.
    const expected = told.map(cell => JSON.parse(JSON.stringify(cell)) as unknown);
    assert.deepEqual(news(changes), expected);
    assert.equal(changes.isMoved, isMoved);
    assert.deepEqual(news(changes), []);
  });
}

test('a cell that has run is told again, as it then stands', () => {
  const model = notebook('code:1');
  const changes = new Changes(model.cells);
  code(model, 0).executionState = 'running';
  assert.deepEqual(news(changes), [{ ...A, outputs: null }]);
  code(model, 0).executionCount = 2;
  code(model, 0).executionState = 'idle';
  const { source, ...rest } = A;
  assert.equal(source, '1');
  assert.deepEqual(news(changes), [{ ...rest, count: 2 }]);
});

for (const [name, source, told] of [
  ['a text of the longest length is told whole', 'x'.repeat(1_000_000), 1_000_000],
  ['of a longer text the first part is told', 'x'.repeat(1_000_007), 1_000_000],
  ['a text is not cut within a character', 'x'.repeat(999_999) + '𝛼', 999_999]
] as const) {
  test(`${name}, and how much is missing`, () => {
    const model = notebook('code:1');
    const changes = new Changes(model.cells);
    model.cells.get(0).sharedModel.setSource(source);
    const [cell] = news(changes);
    assert.equal(cell?.source, source.slice(0, told));
    assert.equal(cell.missing ?? 0, source.length - told);
  });
}

test('what is too much for one message goes in several, each cell in one', () => {
  const model = notebook('code:1', 'code:2', 'code:3');
  const changes = new Changes(model.cells);
  for (const cell of model.cells) {
    cell.sharedModel.setSource('\0'.repeat(1_000_000));
  }
  const messages = changes.news();
  messages.forEach(message => assert.ok(JSON.stringify(message).length < 8_000_000));
  assert.deepEqual(
    messages.flatMap(({ cells }) => cells.map(cell => cell.id)),
    ['a', 'b', 'c']
  );
});

test('a number tells whether a cell has changed', () => {
  const model = notebook('code:1', 'code:2');
  const changes = new Changes(model.cells);
  const versions = (): number[] => Array.from(model.cells, cell => changes.version(cell));
  const before = versions();
  changes.news();
  assert.deepEqual(versions(), before);
  code(model, 1).outputs.add(PRINTED);
  assert.equal(versions()[0], before[0]);
  assert.notEqual(versions()[1], before[1]);
});
