import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IJupyterWidgetRegistry } from '@jupyter-widgets/base';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import type { Pages } from '../pages';
import type { IHost } from '../panel/host';
import type { Panel } from '../panel/panel';
import { VERSION } from '../version';
import { Attention } from './attention';
import { COMMANDS, Commands } from './commands';
import { Dock, DockedPanel } from './dock';
import { errorFactory } from './errors';
import { chatIcon } from './icons';
import { NotebookHost } from './notebookHost';
import { Panels } from './panels';

const CATEGORY = 'Claude';

/** Hosts the panel in JupyterLab and Notebook 7: in cells, and at the right of each notebook. */
export class Chat {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly tracker: INotebookTracker,
    private readonly pages: Pages,
    widgets: IJupyterWidgetRegistry
  ) {
    this.dock = new Dock(notebook => {
      return new DockedPanel(notebook, this.panels, () => void this.show(notebook));
    });
    this.dock.title.icon = chatIcon;
    this.commands = new Commands(app, tracker, {
      open: notebook => this.show(notebook),
      caption: (notebook, asked) => this.dock.of(notebook).caption(asked)
    });
    widgets.registerWidget({
      name: 'claude-magic',
      version: VERSION,
      exports: async () => {
        // The panel itself is loaded with the first one that is shown.
        const { widgetClasses } = await import('./widget');
        return widgetClasses(this.panels, manager => this.hostOf(manager));
      }
    });
    tracker.forEach(notebook => this.add(notebook));
    tracker.widgetAdded.connect((_, notebook) => this.add(notebook));
    tracker.currentChanged.connect((_, notebook) => this.dock.turnTo(notebook));
    this.dock.turnTo(tracker.currentWidget);
  }

  /** Put the panel at the right, and the commands into the palette. */
  attach(palette: ICommandPalette | null, restorer: ILayoutRestorer | null): void {
    this.app.shell.add(this.dock, 'right', { rank: 900, type: 'Chat' });
    restorer?.add(this.dock, this.dock.id);
    const { cell, ...named } = COMMANDS;
    Object.values(named).forEach(command => palette?.addItem({ command, category: CATEGORY }));
  }

  /** Do as the settings say. */
  follow(settings: ISettingRegistry.ISettings): void {
    const update = (): void => {
      const isShown = settings.get('errorButtons').composite !== false;
      document.body.classList.toggle('claude-magic-no-error-buttons', !isShown);
    };
    update();
    settings.changed.connect(update);
  }

  /** Brings the panel of a notebook up and into view. */
  private show(notebook: NotebookPanel): Promise<Panel | null> {
    this.dock.turnTo(notebook);
    this.app.shell.activateById(this.dock.id);
    return this.dock.of(notebook).open();
  }

  private add(notebook: NotebookPanel): void {
    const node = (task: 'explain' | 'fix') => (at: HTMLElement) =>
      void this.commands.aboutError(task, at);
    notebook.content.rendermime.addFactory(
      errorFactory({ explain: node('explain'), fix: node('fix') })
    );
    this.attention.watch(notebook);
    this.dock.of(notebook); // it learns whether the extension is loaded in the kernel
  }

  /** What is around the widget of this manager; nothing where that is no notebook. */
  private hostOf(manager: unknown): IHost {
    const { context } = manager as { context?: NotebookPanel['context'] };
    const notebook = this.tracker.find(({ context: held }) => held === context);
    if (!notebook) {
      return {};
    }
    const tell = (withShown: boolean): string => {
      const { activeCell } = notebook.content;
      return this.pages.of(notebook.context)?.tellAll(withShown ? activeCell : null) ?? '';
    };
    return new NotebookHost(notebook, this.attention, tell, () => void this.show(notebook));
  }

  private readonly attention = new Attention();
  private readonly panels = new Panels();
  private readonly dock: Dock;
  private readonly commands: Commands;
}
