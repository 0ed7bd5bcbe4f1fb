import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IJupyterWidgetRegistry } from '@jupyter-widgets/base';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Chat } from './lab/chat';
import { withAlt } from './lab/described';
import { Page } from './page';
import { IPages, Pages } from './pages';

/** Tells the kernel of each notebook, once claude_magic is loaded there, of the notebook's page. */
const page: JupyterFrontEndPlugin<Pages> = {
  id: 'claude-magic:page',
  description: 'Tells claude_magic where the notebook is, the order of its cells, what they show.',
  autoStart: true,
  requires: [INotebookTracker],
  provides: IPages,
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker) => {
    const pages = new Pages();
    const add = ({ context }: NotebookPanel): void => {
      pages.of(context, () => new Page(context, app.serviceManager.contents));
    };
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, panel) => add(panel));
    return pages;
  }
};

/** Has the pictures of outputs bear their alt text, for who cannot see them. */
const altText: JupyterFrontEndPlugin<void> = {
  id: 'claude-magic:alt-text',
  description: 'Puts the alt text in the metadata of outputs on the pictures that they show.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker) => {
    // Each notebook has renderers of its own; by now every extension has added its.
    const add = ({ content }: NotebookPanel): void => withAlt(content.rendermime);
    tracker.forEach(add);
    tracker.widgetAdded.connect((__, panel) => add(panel));
  }
};

/** The chat panel at the right of a notebook, and the commands that ask about a cell. */
const chat: JupyterFrontEndPlugin<void> = {
  id: 'claude-magic:plugin',
  description: 'A chat panel for each notebook, and commands that ask Claude about a cell.',
  autoStart: true,
  requires: [INotebookTracker, IPages, IJupyterWidgetRegistry],
  optional: [ICommandPalette, ILayoutRestorer, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    pages: Pages,
    widgets: IJupyterWidgetRegistry,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null
  ) => {
    const made = new Chat(app, tracker, pages, widgets);
    made.attach(palette, restorer);
    void settings?.load(chat.id).then(loaded => made.follow(loaded));
  }
};

export default [page, altText, chat];
