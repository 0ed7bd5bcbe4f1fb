/** A page in node, for the panel's views: to be imported before them. */

import { JSDOM } from 'jsdom';

const { window } = new JSDOM('<!doctype html><body></body>', {
  pretendToBeVisual: true,
  url: 'http://localhost/'
});

/** What jsdom, which lays nothing out, leaves to whoever needs it. */
class ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}
window.Element.prototype.scrollIntoView = function (): void {
  window.document.dispatchEvent(new window.CustomEvent('scrolled-to', { detail: this }));
};
window.HTMLDialogElement.prototype.showModal = function (): void {
  this.open = true;
};
window.HTMLDialogElement.prototype.close = function (): void {
  this.open = false;
  this.dispatchEvent(new window.Event('close'));
};
window.URL.createObjectURL = () => 'blob:made';
window.URL.revokeObjectURL = () => undefined;

const globals = {
  window,
  document: window.document,
  navigator: window.navigator,
  Node: window.Node,
  NodeFilter: window.NodeFilter,
  Element: window.Element,
  Event: window.Event,
  KeyboardEvent: window.KeyboardEvent,
  HTMLElement: window.HTMLElement,
  File: window.File,
  Blob: window.Blob,
  URL: window.URL,
  CSS: {},
  ResizeObserver
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
