import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookModel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';

import type { Page } from './page';

type Context = DocumentRegistry.IContext<INotebookModel>;

/** The pages that kernels are told of, for whoever wants one told now. */
export class Pages {
  /** The page of a notebook; a second view of a notebook has the same. */
  of(context: Context, make?: () => Page): Page | undefined {
    let page = this.held.get(context);
    if (!page && make) {
      page = make();
      this.held.set(context, page);
    }
    return page;
  }

  private readonly held = new WeakMap<Context, Page>();
}

export const IPages = new Token<Pages>('claude-magic:IPages');
