/** What of the kernel's messages is believed; what they hold is in `generated/panel.ts`. */

import { isObject } from '../checks';
import { isKernelMessage } from '../generated/panel';
import type { KernelMessage } from '../generated/panel';

export type * from '../generated/panel';

/** The messages of a batch; what is none that was agreed is left out, and said on the console. */
export function messagesOf(content: unknown): KernelMessage[] {
  const found: unknown[] =
    isObject(content) && Array.isArray(content.messages) ? content.messages : [];
  return found.filter(message => {
    const isKnown = isKernelMessage(message);
    if (!isKnown) {
      const type = isObject(message) ? String(message.type) : typeof message;
      console.warn(`claude_magic: a message of the kernel was left out: ${type}`);
    }
    return isKnown;
  });
}

/** A small image that may be shown: one that stands in the address itself, and is no SVG. */
export function safeImage(src: string): string {
  return /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*$/.test(src) ? src : '';
}
