/** What a panel can have done to the notebook around it; a host leaves out what it cannot do. */
export interface IHost {
  /** Puts code into a new cell below the one that the user is at. */
  insertBelow?(code: string): void;
  /** Puts code in place of the text of the cell that the user is at. */
  replaceCell?(code: string): void;
  /** Puts code into a new cell below, and runs it. */
  run?(code: string): void;
  /** Brings a cell into view and goes there. */
  reveal?(cell: string): void;
  /** Runs a cell again. */
  runCell?(cell: string): void;
  /** The id of the cell that the user is at, '' for none: they have not been at one yet. */
  activeCell?(): string;
  /** The notebook's name. */
  name?(): string;
  /** Has `moved` called when the user goes to another cell, or the notebook to another name;
   * returns what ends that. */
  onMove?(moved: () => void): () => void;
  /**
   * Called before a question is sent: the kernel may not know the page as it stands. Returns the
   * mark of what it is told, '' for nothing: the kernel waits for that.
   */
  beforeAsk?(): string;
  /** The same before it is said what a question would see: of what cells show nothing is told. */
  beforePreview?(): string;
  /** Shows the panel beside the notebook. */
  dock?(): void;
}

/* eslint-disable @typescript-eslint/no-explicit-any -- of each event something else comes */

/** A front end's side of a widget's model; both ipywidgets and anywidget have it so. */
export interface IModel {
  on(event: string, callback: (...args: any[]) => void): void;
  off(event: string, callback: (...args: any[]) => void): void;
  send(content: unknown, callbacks?: unknown, buffers?: (ArrayBuffer | ArrayBufferView)[]): void;
}
