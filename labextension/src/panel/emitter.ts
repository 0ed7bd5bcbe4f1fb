/** Tells whoever listens; the events and what comes with each are those of `Events`. */
export class Emitter<Events extends object> {
  /** Have `listener` told of an event; returns what ends that. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
    const listeners = this.listeners[name] ?? (this.listeners[name] = new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  protected emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    this.listeners[name]?.forEach(listener => listener(value));
  }

  private readonly listeners: {
    [Name in keyof Events]?: Set<(value: Events[Name]) => void>;
  } = {};
}
