import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { Page } from './page';

/** Tells the kernel of each notebook, once claude_magic is loaded there, of the notebook's page. */
const page: JupyterFrontEndPlugin<void> = {
  id: 'claude-magic:page',
  description: 'Tells claude_magic where the notebook is, the order of its cells, what they show.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker) => {
    const known = new WeakSet<NotebookPanel['context']>();
    const add = ({ context }: NotebookPanel): void => {
      // A second view of a notebook has the same context.
      if (!known.has(context)) {
        known.add(context);
        new Page(context, app.serviceManager.contents);
      }
    };
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, panel) => add(panel));
  }
};

export default [page];
