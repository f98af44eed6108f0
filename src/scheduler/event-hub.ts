import type { EventOf, SchedulerEvent, SchedulerEventType } from "./events.ts";

type Listener = (event: SchedulerEvent) => void;

/** Hands events to whoever listens. An event is made only if somebody does. */
export class EventHub {
  private readonly listeners = new Map<SchedulerEventType, Set<Listener>>();
  private readonly streams = new Set<Listener>();

  has(type: SchedulerEventType): boolean {
    return this.streams.size > 0 || (this.listeners.get(type)?.size ?? 0) > 0;
  }

  on<T extends SchedulerEventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    let set = this.listeners.get(type);
    if (set === undefined) {
      set = new Set();
      this.listeners.set(type, set);
    }
    set.add(listener as Listener);
    return () => void set.delete(listener as Listener);
  }

  emit(event: SchedulerEvent): void {
    for (const listener of this.listeners.get(event.type) ?? []) listener(event);
    for (const listener of this.streams) listener(event);
  }

  /** All events from now on, each reader having its own queue; ends when the hub is closed. */
  stream(): AsyncIterable<SchedulerEvent> {
    const hub = this;
    return {
      [Symbol.asyncIterator](): AsyncIterator<SchedulerEvent> {
        const queue: SchedulerEvent[] = [];
        let wake: (() => void) | undefined;
        let closed = hub.closed;
        const listener: Listener = (event) => {
          queue.push(event);
          wake?.();
        };
        const end = (): void => {
          closed = true;
          hub.streams.delete(listener);
          hub.closers.delete(end);
          wake?.();
        };
        if (!closed) {
          hub.streams.add(listener);
          hub.closers.add(end);
        }
        return {
          async next(): Promise<IteratorResult<SchedulerEvent>> {
            while (queue.length === 0 && !closed) {
              await new Promise<void>((resolve) => {
                wake = resolve;
              });
              wake = undefined;
            }
            const event = queue.shift();
            return event === undefined ? { done: true, value: undefined } : { done: false, value: event };
          },
          async return(): Promise<IteratorResult<SchedulerEvent>> {
            end();
            return { done: true, value: undefined };
          },
        };
      },
    };
  }

  private closed = false;
  private readonly closers = new Set<() => void>();

  close(): void {
    this.closed = true;
    for (const end of [...this.closers]) end();
    this.listeners.clear();
  }
}
