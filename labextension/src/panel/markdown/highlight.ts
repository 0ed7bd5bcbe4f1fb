import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import cpp from 'highlight.js/lib/languages/cpp';
import diff from 'highlight.js/lib/languages/diff';
import ini from 'highlight.js/lib/languages/ini';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import julia from 'highlight.js/lib/languages/julia';
import latex from 'highlight.js/lib/languages/latex';
import markdown from 'highlight.js/lib/languages/markdown';
import matlab from 'highlight.js/lib/languages/matlab';
import python from 'highlight.js/lib/languages/python';
import pythonRepl from 'highlight.js/lib/languages/python-repl';
import r from 'highlight.js/lib/languages/r';
import shell from 'highlight.js/lib/languages/shell';
import sql from 'highlight.js/lib/languages/sql';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';

import { escaped } from './maths';

/** Longer code stays plain: colours are not worth the wait. */
const LONGEST = 16_000;
const LONGEST_LINE = 500;

const LANGUAGES = {
  bash,
  cpp,
  diff,
  ini,
  javascript,
  json,
  julia,
  latex,
  markdown,
  matlab,
  python,
  'python-repl': pythonRepl,
  r,
  shell,
  sql,
  xml,
  yaml
};
Object.entries(LANGUAGES).forEach(([name, language]) => hljs.registerLanguage(name, language));
hljs.registerAliases(['ipython', 'ipython3', 'python3', 'py3'], { languageName: 'python' });
// Near enough to these, which would each add as much again to the bundle.
hljs.registerAliases(['typescript', 'ts', 'tsx'], { languageName: 'javascript' });
hljs.registerAliases(['c', 'h'], { languageName: 'cpp' });

/** Code as the inside of a `<code>` element; only escaped if the language is not known. */
export function highlighted(code: string, language: string): string {
  const isPlain =
    !hljs.getLanguage(language) ||
    code.length > LONGEST ||
    code.split('\n').some(line => line.length > LONGEST_LINE);
  return isPlain ? escaped(code) : hljs.highlight(code, { language, ignoreIllegals: true }).value;
}

/** The language of a fence's info string, '' if there is none: "python" of "{.python} a.py". */
export function languageOf(info: string | undefined): string {
  return (/[\w+#.-]+/.exec(info ?? '')?.[0] ?? '').replace(/^\.+|\.+$/g, '').toLowerCase();
}
