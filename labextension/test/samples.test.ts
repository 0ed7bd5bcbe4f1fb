import assert from 'node:assert/strict';
import { test } from 'node:test';

import { samples } from './panels';
import { kernelSays } from '../src/messages';
import type { KernelSays } from '../src/messages';
import { Conversation } from '../src/panel/conversation';
import type { IItem } from '../src/panel/conversation';
import { messagesOf } from '../src/panel/protocol';
import type { KernelMessage } from '../src/panel/protocol';

const MESSAGES = samples<KernelMessage>('KernelMessage');

/** What an event has told. */
const heard: Record<string, unknown> = {};

function told(conversation: Conversation, run: string): IItem | undefined {
  return conversation.items.find(item => item.run === run);
}

/** Of each kind of message what the panel has from it; a kind that is missing here is an error. */
const TAKEN: {
  [Type in KernelMessage['type']]: (
    said: Extract<KernelMessage, { type: Type }>,
    held: Conversation
  ) => void;
} = {
  state: (said, held) => assert.equal(held.state, said),
  history: (said, held) => {
    assert.equal(held.byTurn(said.turns[0]!.id)?.parts, said.turns[0]!.parts);
    assert.equal(told(held, said.live[0]!.run)?.approvals.length, 1);
    assert.equal(held.earlier, said.earlier);
  },
  earlier: (said, held) => assert.equal(held.items[0]!.turn, said.turns[0]!.id),
  begin: (said, held) => assert.equal(held.items.at(-1)!.request, said.live.request),
  delta: (said, held) => {
    const [number, part] = said.parts[0]!;
    assert.ok(told(held, said.run)!.parts[number]!.text.endsWith(part.text));
  },
  doing: (said, held) => assert.equal(told(held, said.run)?.doing, said.doing),
  call: (said, held) => assert.equal(told(held, said.run)?.parts[said.part], said.call),
  approve: (said, held) => assert.deepEqual(told(held, said.run)?.approvals, [said.approval]),
  approved: (said, held) => assert.deepEqual(told(held, said.run)?.approvals, []),
  end: (said, held) => {
    assert.equal(told(held, said.run), undefined);
    const over = said.turn ? held.byTurn(said.turn.id) : held.items.at(-1);
    assert.equal(over?.status, said.turn?.status ?? 'failed');
    assert.equal(over?.error, said.error);
  },
  turns: (said, held) => {
    assert.deepEqual(
      held.items.flatMap(item => item.turn || []),
      said.order
    );
    assert.deepEqual(held.byTurn('t2')?.versions, said.versions['t2']);
    assert.equal(held.byTurn('t1')?.asked.place, said.places['A']);
  },
  carried: (said, held) => assert.equal(held.chips, said.chips),
  sees: (said, held) => assert.equal(held.sees, said),
  attached: said => assert.equal(heard['attached'], said),
  thumbnails: (said, held) => assert.equal(held.byTurn(said.turn)?.asked.images, said.images),
  picture: said => {
    assert.deepEqual(heard['picture'], { ...said, data: new Uint8Array([1, 2, 3]) });
  },
  sent: said => assert.equal(heard['sent'], said),
  exported: said => assert.equal(heard['exported'], said),
  notice: said => assert.equal(heard['notice'], said)
};

test('the panel takes each message that the kernel may send', () => {
  const held = new Conversation('view-1');
  for (const name of ['attached', 'picture', 'sent', 'exported', 'notice'] as const) {
    held.on(name, value => (heard[name] = value));
  }
  const kinds = new Set<string>();
  for (const message of messagesOf({ messages: MESSAGES })) {
    held.apply(message, [new DataView(new Uint8Array([1, 2, 3]).buffer)]);
    const taken = TAKEN[message.type] as (said: KernelMessage, held: Conversation) => void;
    taken(message, held);
    kinds.add(message.type);
  }
  assert.deepEqual([...kinds].sort(), Object.keys(TAKEN).sort());
});

test('the page takes each message that the kernel may send', () => {
  const messages = samples<KernelSays>('KernelSays');
  messages.forEach(message => assert.equal(kernelSays(message), message));
});

for (const [name, read] of [
  ['panel', (message: unknown) => messagesOf({ messages: [message] })[0] ?? null],
  ['page', kernelSays]
] as const) {
  const all = samples<{ type: string; [field: string]: unknown }>(
    name === 'panel' ? 'KernelMessage' : 'KernelSays'
  );

  test(`a message that lacks a field is left out by the ${name}`, () => {
    for (const message of all) {
      for (const field of Object.keys(message)) {
        const { [field]: left, ...rest } = message;
        assert.notEqual(left, undefined);
        assert.equal(read(rest), null, `${message.type} without ${field}`);
      }
    }
  });

  test(`a field of another type has the ${name} leave the message out`, () => {
    for (const message of all) {
      for (const field of Object.keys(message)) {
        const wrong = { ...message, [field]: Symbol('of no type that was agreed') };
        assert.equal(read(wrong), null, `${message.type} with a wrong ${field}`);
      }
    }
  });
}
