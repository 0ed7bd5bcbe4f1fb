/** What the page believes of the kernel; what the messages hold is in `generated/page.ts`. */

import { isObject } from './checks';
import { isConversationId, isKernelSays } from './generated/page';
import type { KernelSays } from './generated/page';

export { isObject };
export type * from './generated/page';

/**
 * The name of the comm, and its id.
 *
 * A kernel has one such comm. As its id is known before the kernel has opened it, "Run All" can
 * tell the page right behind the cell that loads the extension, ahead of the cells below.
 */
export const COMM = 'claude_magic:page';

/** `value` if it can be the id of a conversation, else null. */
export function conversationId(value: unknown): string | null {
  return isConversationId(value) ? value : null;
}

/** What a message from the kernel says, null for anything else than we know. */
export function kernelSays(data: unknown): KernelSays | null {
  if (isKernelSays(data)) {
    return data;
  }
  console.warn('claude_magic: a message of the kernel to the page was left out');
  return null;
}
