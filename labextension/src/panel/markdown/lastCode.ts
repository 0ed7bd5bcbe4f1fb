import { blocks, codeOf } from './parse';

const PYTHON = ['python', 'python3', 'py', 'ipython', 'ipython3'];

/** The code of the last Python fence of a text, else of the last one that names no language. */
export function lastCode(text: string): string | null {
  const found = codeOf(blocks(text)).reverse();
  const best =
    found.find(({ language }) => PYTHON.includes(language)) ??
    found.find(({ language }) => language === '');
  return best ? best.code.replace(/^\n+|\n+$/g, '') : null;
}
