import type { CodeCell } from '@jupyterlab/cells';
import type { IOutput } from '@jupyterlab/nbformat';
import type { IOutputModel } from '@jupyterlab/rendermime';

import { isObject } from '../messages';

/** In characters of JSON: Jupyter's server closes the connection on a message of over 10 MiB. */
const LARGEST = 8_000_000;

/** The output of a cell in which an element stands. */
export function outputAt(cell: CodeCell, element: Element): IOutputModel | null {
  const { widgets, model } = cell.outputArea;
  const at = widgets.findIndex(widget => widget.node.contains(element));
  return at >= 0 && at < model.length ? model.get(at) : null;
}

/** An output as a mimebundle; null if there is nothing to send, or too much. */
export function bundleOf(output: IOutputModel): Record<string, unknown> | null {
  const bundle = readBundle(output.toJSON());
  const isEmpty = Object.keys(bundle).length === 0;
  return isEmpty || JSON.stringify(bundle).length > LARGEST ? null : bundle;
}

function readBundle(output: IOutput): Record<string, unknown> {
  if (output.output_type === 'stream') {
    return { 'text/plain': joined(output.text) };
  }
  if (output.output_type === 'error') {
    return { 'text/plain': errorText(output) };
  }
  const data: unknown = output.data;
  return isObject(data)
    ? Object.fromEntries(Object.entries(data).map(([type, value]) => [type, joined(value)]))
    : {};
}

/** The error that a cell shows last, as text; '' if it shows none. */
export function errorOf(cell: CodeCell): string {
  const { model } = cell.outputArea;
  for (let at = model.length - 1; at >= 0; at -= 1) {
    const output = model.get(at).toJSON();
    if (output.output_type === 'error') {
      return errorText(output);
    }
  }
  return '';
}

function errorText(output: IOutput): string {
  const lines = Array.isArray(output.traceback) ? output.traceback.map(String) : [];
  const said = [output.ename, output.evalue].filter(word => typeof word === 'string');
  return lines.length > 0 ? lines.join('\n') : said.join(': ');
}

/** Text as nbformat has it: one string, or a list of lines. */
function joined(value: unknown): unknown {
  const isLines = Array.isArray(value) && value.every(line => typeof line === 'string');
  return isLines ? value.join('') : value;
}
