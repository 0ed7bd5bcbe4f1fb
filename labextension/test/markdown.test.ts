import assert from 'node:assert/strict';
import { test } from 'node:test';

import { spelled } from '../src/panel/markdown/footnotes';
import { highlighted, languageOf } from '../src/panel/markdown/highlight';
import { lastCode } from '../src/panel/markdown/lastCode';
import { mayBeTypeset } from '../src/panel/markdown/maths';
import { blocks, codeOf, markup } from '../src/panel/markdown/parse';

function html(text: string): string {
  return markup(blocks(text));
}

const MATHS: Record<string, [text: string, formulas: number]> = {
  'inline': ['The slope is $m_1 = 2$ here.', 1],
  'two inline': ['$a$ and $b$', 2],
  'in parentheses': ['So \\(x^2\\) it is', 1],
  'display': ['$$\nx = 1\n$$', 1],
  'display in brackets': ['\\[\nx = 1\n\\]', 1],
  'display within a line': ['so $$x = 1$$ it is', 1],
  'an environment': ['\\begin{align}\na &= b\n\\end{align}', 1],
  'money': ['It costs $5 to $10.', 0],
  'money before a formula': ['$5 and $x$', 1],
  'a currency': ['US$5 and US$6', 0],
  'a path': ['$HOME:$PATH', 0],
  'escaped dollars': ['\\$x\\$', 0],
  'in code': ['`$x$`', 0],
  'in a fence': ['```\n$x$\n```', 0],
  'a space inside': ['$ x $', 0],
  'past a blank line': ['$x\n\ny$', 0],
  'stars in a formula': ['$a * b * c$', 1],
  'in a list': ['- $x$\n- $y$', 2],
  'in a table': ['| a |\n|---|\n| $x$ |', 1]
};

for (const [name, [text, formulas]] of Object.entries(MATHS)) {
  test(`maths, ${name}: ${formulas}`, () => {
    assert.equal(html(text).split('<math').length - 1, formulas, html(text));
  });
}

const NOT_TYPESET = [
  '\\href{javascript:alert(1)}{x}',
  '\\class{jp-Button}{x}',
  '\\style{background: url(x)}{x}',
  '\\htmlData{a=b}{x}',
  '\\def\\x{\\x\\x}\\x',
  '\\newcommand{\\a}{\\a\\a}',
  '\\includegraphics{http://x}',
  'http://x',
  '{',
  '}',
  'a`b',
  '{'.repeat(100) + '}'.repeat(100),
  'x'.repeat(6_000)
];

test('a formula that leaves mathematics is code', () => {
  NOT_TYPESET.forEach(tex => assert.equal(mayBeTypeset(tex), false, tex));
  assert.ok(mayBeTypeset('\\frac{a}{b}'));
});

test('HTML is text', () => {
  const made = html('<script>alert(1)</script> <b>x</b>\n\n<div onclick=a>\n\n<!-- x -->');
  assert.doesNotMatch(made, /<(?:script|b|div|!--)/);
  assert.match(made, /&lt;script&gt;/);
});

test('an image is its words, and is not fetched', () => {
  const made = html('![a plot](http://127.0.0.1/x.png) ![x][r]\n\n[r]: http://127.0.0.1/y');
  assert.doesNotMatch(made, /<img/);
  assert.match(made, /\[image: a plot \(http:\/\/127\.0\.0\.1\/x\.png\)\]/);
});

test('a link leads to the web or a mail program, or is text', () => {
  assert.match(html('[x](https://a.example/)'), /<a href="https:\/\/a\.example\/">x<\/a>/);
  assert.match(html('<mailto:a@b.example>'), /href="mailto:a@b\.example"/);
  for (const to of [
    'javascript:alert(1)',
    'data:text/html,x',
    '/lab',
    '//host',
    '#top',
    'file:///x'
  ]) {
    assert.doesNotMatch(html(`[x](${to})`), /<a /, to);
  }
});

test('the blocks of a text are all of it, in their order', () => {
  const texts = [
    '# A\n\nb\n\n- c\n- d\n\n\n```py\ne\n```\n> f\n\n| g |\n|---|\n| h |\n\n$$\nx\n$$\n\nend',
    'a\n===\nb\n---\n\tcode\n\n1. x\n\n   y\n2. z\n',
    '\n\n  a  \n\n***\n'
  ];
  texts.forEach(text => {
    const raw = blocks(text)
      .map(block => block.raw)
      .join('');
    assert.equal(raw, text.slice(0, raw.length));
    assert.equal(text.slice(raw.length).trim(), '');
  });
});

test('code is coloured by the language that the fence names, and escaped in any case', () => {
  assert.match(html('```python\nimport x\n```'), /hljs-keyword/);
  assert.match(html('```nothing\n<b>\n```'), /&lt;b&gt;/);
  assert.equal(highlighted('x'.repeat(20_000), 'python'), 'x'.repeat(20_000));
  assert.equal(languageOf('{.Python} file.py'), 'python');
});

test('code blocks are found wherever they stand', () => {
  const text = '- a\n\n  ```python\n  x = 1\n  ```\n\n> ```\n> y\n> ```\n';
  assert.deepEqual(codeOf(blocks(text)), [
    { code: 'x = 1', language: 'python' },
    { code: 'y', language: '' }
  ]);
});

test('the changed cell is the last Python code, else the last code of no language', () => {
  assert.equal(lastCode('```python\na\n```\n```python\nb\n```\n```bash\nc\n```'), 'b');
  assert.equal(lastCode('```\na\n```\n```bash\nc\n```'), 'a');
  assert.equal(lastCode('no code, `a`'), null);
});

test('what is nested very deep does not hang', () => {
  const began = Date.now();
  for (const text of [
    '>'.repeat(3_000) + 'x',
    '['.repeat(3_000),
    '*a'.repeat(3_000),
    '$'.repeat(3_000)
  ]) {
    try {
      html(text);
    } catch {
      // Shown as it is.
    }
  }
  assert.ok(Date.now() - began < 20_000);
});

const MARK = '\u207d\ufdd01\ufdd1\u207e';
const NUMBER = '<span class="claude-chat-footnote">[1]</span>';
const MARKED: Record<string, [text: string, expected: string]> = {
  'in running text': [`Six${MARK} legs`, `<p>Six${NUMBER} legs</p>`],
  'behind emphasis': [`**Six.**${MARK}`, `<p><strong>Six.</strong>${NUMBER}</p>`],
  'in a table': [`| a |\n|---|\n| 2${MARK} |`, `<td>2${NUMBER}</td>`],
  'behind a bare address': [
    `https://a.example/x${MARK}`,
    `<a href="https://a.example/x">https://a.example/x</a>${NUMBER}`
  ],
  'in an address': [`[x](<https://a.example/${MARK}>)`, '<a href="https://a.example/">x</a>'],
  'in code': [`\`a${MARK}\``, '<code>a[1]</code>'],
  'in a fence': [`\`\`\`\nx${MARK}\n\`\`\``, 'x[1]']
};

for (const [name, [text, expected]] of Object.entries(MARKED)) {
  test(`the number of a footnote ${name}`, () => {
    const made = html(text);
    assert.ok(made.includes(expected), made);
    assert.doesNotMatch(made, /[\ufdd0\ufdd1]/);
  });
}

test('the number of a footnote is written out where text is copied', () => {
  assert.equal(spelled(`a${MARK}b`), 'a[1]b');
});

test('the list of sources shows titles as they are, and links web addresses alone', () => {
  const made = html(
    '&#91;1&#93; [\\<b>\\*x\\*](<https://a.example>) (a.example) · “q”\\\n&#91;2&#93; notes.txt'
  );
  assert.match(made, /\[1\]|&#91;1&#93;/);
  assert.match(made, /<a href="https:\/\/a\.example">&lt;b&gt;\*x\*<\/a> \(a\.example\)/);
  assert.match(made, /<br>/);
  assert.doesNotMatch(made, /<b>|<em>/);
});
