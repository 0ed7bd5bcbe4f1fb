/** A page in node with all that JupyterLab wants to find there: to be imported before it. */

import { after } from 'node:test';

import '../browser';

for (const name of Object.getOwnPropertyNames(window)) {
  if (!(name in globalThis)) {
    const value = window[name as keyof Window] as unknown;
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

/** What jsdom lacks. JupyterLab makes classes of it and asks for it as it is loaded, no more. */
class Lacking {
  matches = false;
  addListener(): void {}
  addEventListener(): void {}
}
Object.assign(globalThis, { DragEvent: class extends MouseEvent {} });
Object.assign(window, {
  IntersectionObserver: Lacking,
  ResizeObserver: Lacking,
  matchMedia: () => new Lacking()
});
Object.assign(window.navigator, { clipboard: {} });
document.queryCommandSupported = () => false;

// Yjs says of JupyterLab's own way to make cells that it reads them before they are in a document.
const { warn } = console;
console.warn = (...said: unknown[]) => {
  if (!/^Invalid access: Add Yjs type|^\[yjs#509\]/.test(String(said[0]))) {
    warn(...said);
  }
};

const models: { dispose(): void }[] = [];

/** The model, which is disposed of when all tests are done: its clock would go on. */
export function ended<Model extends { dispose(): void }>(model: Model): Model {
  models.push(model);
  return model;
}

after(() => models.forEach(model => model.dispose()));
