import type { Panel } from '../panel/panel';

/** The panels on the page, by the id of their model. */
export class Panels {
  add(model: string, panel: Panel): void {
    const held = this.held.get(model) ?? new Set();
    this.held.set(model, held.add(panel));
    this.waiting.get(model)?.forEach(resolve => resolve(panel));
    this.waiting.delete(model);
  }

  remove(model: string, panel: Panel): void {
    this.held.get(model)?.delete(panel);
  }

  /** The panel that comes up next for a model. */
  next(model: string): Promise<Panel> {
    return new Promise(resolve => {
      const waiting = this.waiting.get(model) ?? [];
      this.waiting.set(model, [...waiting, resolve]);
    });
  }

  private readonly held = new Map<string, Set<Panel>>();
  private readonly waiting = new Map<string, ((panel: Panel) => void)[]>();
}
