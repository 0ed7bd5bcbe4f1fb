import type { IHost, IModel } from './host';
import { Panel } from './panel';

/** What a host gives: the model of the widget, a place to stand, and what it can do. */
export interface IPlace {
  model: IModel;
  el: HTMLElement;
  host?: IHost;
}

/** Shows a panel in `el`; what is returned takes it away again. This is what anywidget calls. */
export function render({ model, el, host }: IPlace): () => void {
  el.classList.add('claude-chat-root');
  const panel = new Panel(model, el, host);
  return () => panel.dispose();
}

export default { render };
