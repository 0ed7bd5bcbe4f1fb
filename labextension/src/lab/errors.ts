import { errorRendererFactory } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime';
import { PanelLayout, Widget } from '@lumino/widgets';

import { isObject } from '../messages';
import { element } from '../panel/elements/dom';

const MIME = 'application/vnd.jupyter.error';
/** What JupyterLab itself shows of an error. */
const TEXT = 'application/vnd.jupyter.stderr';
/** Before JupyterLab's own, whose rendering stays as it is. */
const RANK = 100;
/** What the user has done, or says themselves what to do. */
const NO_FAULT =
  /^(?:KeyboardInterrupt|Interrupted|(?:Input|Image|NotRecorded|Credential|Budget|Protocol)Error|APIError|BadRequest|AuthenticationError|PermissionDenied|NotFound|RequestTooLarge|RateLimited|ServerError|ConnectionFailed|BrokenReply|InvalidReply|UsageError)$/;

/** What can be done about an error; `node` stands in its output. */
export interface IErrorActions {
  explain(node: HTMLElement): void;
  fix(node: HTMLElement): void;
}

/** Has errors shown as they are, with two buttons below. */
export function errorFactory(actions: IErrorActions): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [MIME],
    defaultRank: RANK,
    createRenderer: options => new ErrorWithButtons(options, actions)
  };
}

class ErrorWithButtons extends Widget implements IRenderMime.IRenderer {
  constructor(
    options: IRenderMime.IRendererOptions,
    private readonly actions: IErrorActions
  ) {
    super();
    this.inner = errorRendererFactory.createRenderer({ ...options, mimeType: TEXT });
    this.buttons = new Widget();
    this.buttons.addClass('claude-magic-error-buttons');
    const layout = new PanelLayout();
    layout.addWidget(this.inner);
    layout.addWidget(this.buttons);
    this.layout = layout;
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    await this.inner.renderModel(model);
    const error: unknown = model.data[MIME];
    const name = isObject(error) ? String(error.ename) : '';
    const { actions, node } = this;
    const button = (label: string, pressed: () => void): HTMLElement =>
      element('button', { type: 'button', class: 'claude-magic-small', click: pressed }, label);
    this.buttons.node.replaceChildren(
      ...(NO_FAULT.test(name)
        ? []
        : [
            button('Explain', () => actions.explain(node)),
            button('Fix with Claude', () => actions.fix(node))
          ])
    );
  }

  private readonly inner: IRenderMime.IRenderer;
  private readonly buttons: Widget;
}
