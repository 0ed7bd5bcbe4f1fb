/** Alt text in the metadata of outputs, where exporters find it. It is text, never markup. */

import type { IOutputModel } from '@jupyterlab/rendermime';
import type { PartialJSONObject } from '@lumino/coreutils';

import { isObject } from './messages';

const KINDS = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/svg+xml'];
/** In characters. */
export const LONGEST = 10_000;

/** Whether an output holds an image that can have alt text. */
export function isDescribable(output: IOutputModel): boolean {
  return KINDS.some(kind => kind in output.data);
}

/** Have the metadata of an output hold this alt text; what is returned takes it back. */
export function describe(output: IOutputModel, alt: string): () => void {
  const before = copy(output.metadata);
  const metadata = copy(output.metadata);
  for (const kind of KINDS.filter(held => held in output.data)) {
    const about = metadata[kind];
    metadata[kind] = { ...(isObject(about) ? about : {}), alt: alt.slice(0, LONGEST) };
  }
  output.setData({ metadata });
  const written = JSON.stringify(metadata);
  return () => {
    // What was run since then has other metadata, and nothing of ours.
    if (JSON.stringify(output.metadata) === written) {
      output.setData({ metadata: before });
    }
  };
}

/** The text of an image as it is compared: base64 may stand in several lines. */
export function bare(value: unknown): string {
  const text = Array.isArray(value) ? value.join('') : value;
  return typeof text === 'string' ? text.replace(/\s+/g, '') : '';
}

/** Adler-32 of a text, as `zlib.adler32` has it: it tells the images of one cell apart. */
export function adler32(text: string): number {
  let low = 1;
  let high = 0;
  for (const byte of new TextEncoder().encode(text)) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}

function copy(metadata: unknown): PartialJSONObject {
  return JSON.parse(JSON.stringify(metadata)) as PartialJSONObject;
}
