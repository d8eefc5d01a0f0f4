/** Hands QMP's events to callbacks and to `for await` loops. */
import type { QmpEvent } from './message.ts';

export type QmpEventListener = (event: QmpEvent) => void;

export interface EventHub {
  emit(event: QmpEvent): void;
  /** No more events: every loop ends. */
  end(): void;
  /** Returns the function that takes the listener away. */
  add(listener: QmpEventListener): () => void;
  /** Events from this call on, none lost while the loop's body runs. */
  iterate(signal?: AbortSignal): AsyncIterableIterator<QmpEvent>;
}

export function eventHub(): EventHub {
  const listeners = new Set<QmpEventListener>();
  const enders = new Set<() => void>();
  let over = false;

  function add(listener: QmpEventListener): () => void {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  function iterate(signal?: AbortSignal): AsyncIterableIterator<QmpEvent> {
    const queue: QmpEvent[] = [];
    let done = over || signal?.aborted === true;
    let wake: () => void = () => {};
    const remove = add((event) => {
      queue.push(event);
      wake();
    });
    const finish = (): void => {
      done = true;
      remove();
      enders.delete(finish);
      signal?.removeEventListener('abort', finish);
      wake();
    };
    if (done) finish();
    else {
      enders.add(finish);
      signal?.addEventListener('abort', finish, { once: true });
    }
    async function* loop(): AsyncGenerator<QmpEvent> {
      try {
        for (;;) {
          const event = queue.shift();
          if (event) yield event;
          else if (done) return;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        finish();
      }
    }
    return loop();
  }

  return {
    emit: (event) => {
      for (const listener of [...listeners]) listener(event);
    },
    end: () => {
      over = true;
      for (const finish of [...enders]) finish();
    },
    add,
    iterate,
  };
}
