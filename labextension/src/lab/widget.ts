import { DOMWidgetModel, DOMWidgetView } from '@jupyter-widgets/base';
import type { ExportMap } from '@jupyter-widgets/base';

import type { IHost } from '../panel/host';
import { Panel } from '../panel/panel';
import type { Panels } from './panels';

const GONE = 'The kernel was restarted: run the cell again, or open the panel at the side.';
const NOTEBOOK = '.jp-Notebook';

/** The classes by which a widget manager shows the panel; `hostOf` says what is around one. */
export function widgetClasses(panels: Panels, hostOf: (manager: unknown) => IHost): ExportMap {
  class ClaudeChatModel extends DOMWidgetModel {}

  class ClaudeChatView extends DOMWidgetView {
    override render(): void {
      super.render();
      this.el.classList.add('claude-chat-host');
      const { model } = this;
      window.addEventListener('keydown', this.noShortcut, true);
      this.panel = new Panel(model, this.el, hostOf(model.widget_manager));
      panels.add(model.model_id, this.panel);
      this.listenTo(model, 'comm_live_update', () => {
        if (!model.comm_live) {
          this.panel?.disconnected(GONE);
        }
      });
    }

    override remove(): void {
      window.removeEventListener('keydown', this.noShortcut, true);
      if (this.panel) {
        panels.remove(this.model.model_id, this.panel);
        this.panel.dispose();
        this.panel = null;
      }
      super.remove();
    }

    /** What is typed in a panel that stands in a cell is no shortcut of the notebook's. */
    private readonly noShortcut = ({ ctrlKey, metaKey, target }: KeyboardEvent): void => {
      if (target instanceof Element && this.el.contains(target) && this.el.closest(NOTEBOOK)) {
        // They are bound to whatever has the focus: on that they have to be held off.
        target.toggleAttribute('data-lm-suppress-shortcuts', !ctrlKey && !metaKey);
      }
    };

    private panel: Panel | null = null;
  }

  return { ClaudeChatModel, ClaudeChatView };
}
