import { Notification } from '@jupyterlab/apputils';
import type { CodeCell } from '@jupyterlab/cells';
import type { IOutputModel } from '@jupyterlab/rendermime';

import { describe } from '../alt';
import type { ICaption } from './kernelPanel';

const SHOWN = 30_000;

/** Write a caption's alt text into an output of `model` once it has come, with a way back. */
export async function writeAltText(
  model: CodeCell['outputArea']['model'],
  output: IOutputModel,
  asked: Promise<ICaption>
): Promise<void> {
  const id = Notification.emit('Claude is writing alt text…', 'in-progress', { autoClose: false });
  try {
    const { alt, cost } = await asked;
    if (!Array.from({ length: model.length }, (_, at) => model.get(at)).includes(output)) {
      throw new Error('The output is gone: its cell was run again.');
    }
    const undo = describe(output, alt);
    Notification.update({
      id,
      type: 'success',
      message: `Alt text written${cost && ` (${cost})`}: ${alt}`,
      autoClose: SHOWN,
      actions: [{ label: 'Undo', callback: undo }]
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    Notification.update({
      id,
      type: 'error',
      message: message || 'No alt text came.',
      autoClose: false
    });
  }
}
