import { element } from './elements/dom';

const EXAMPLES = [
  'What stands out in the last figure?',
  'What does this notebook do so far?',
  'What could be wrong with these results?'
];

/** What stands there before the first question. */
export function emptyState(chosen: (question: string) => void): HTMLElement {
  const examples = EXAMPLES.map(question =>
    element(
      'button',
      { type: 'button', class: 'claude-chat-example', click: () => chosen(question) },
      question
    )
  );
  return element(
    'div',
    { class: 'claude-chat-empty', hidden: true },
    element('p', {}, 'Ask about this notebook. What stands above the active cell goes along.'),
    ...examples
  );
}
