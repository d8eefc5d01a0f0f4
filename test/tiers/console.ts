import { type FSWatcher, readFileSync, watch } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

/** What a guest said on its serial line, and the way to answer. */
export interface GuestConsole {
  /** All that was said so far, carriage returns removed. */
  text(): string;
  /** The first line that contains the marker, said already or within the deadline. The error shows the last lines. */
  waitFor(marker: string | RegExp, timeoutMs?: number): Promise<string>;
  /** Types a line into the guest's shell. Only where the console has an input. */
  type(line: string): void;
}

/** A full boot takes 5 to 8 s under TCG on an idle machine; a busy one gets ten times that. */
const BOOT_MS = 80_000;
const TAIL_LINES = 25;

/** Reads a console from a stream: a child's stdout, or a socket, which is also its input. */
export function consoleOf(output: Readable, input?: Writable): GuestConsole {
  let text = '';
  const listeners = new Set<() => void>();
  output.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk.replaceAll('\r', '');
    for (const listener of listeners) listener();
  });
  const ended = new Promise<void>((resolve) => output.once('close', resolve).once('error', () => resolve()));
  return {
    text: () => text,
    waitFor: (marker, timeoutMs = BOOT_MS) =>
      waitForLine(
        () => text,
        marker,
        timeoutMs,
        ended,
        (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      ),
    type: (line) => {
      if (input === undefined) throw new Error('this console has no input');
      input.write(`${line}\n`);
    },
  };
}

/** Reads a console from a file that grows, such as the serial log of a detached VM. */
export function consoleFile(path: string): GuestConsole {
  const text = (): string => readFileSync(path, 'utf8').replaceAll('\r', '');
  return {
    text,
    waitFor: (marker, timeoutMs = BOOT_MS) =>
      waitForLine(text, marker, timeoutMs, new Promise(() => undefined), (listener) => {
        const watcher: FSWatcher = watch(path, listener);
        return () => watcher.close();
      }),
    type: () => {
      throw new Error('a log file has no input');
    },
  };
}

async function waitForLine(
  text: () => string,
  marker: string | RegExp,
  timeoutMs: number,
  ended: Promise<void>,
  subscribe: (listener: () => void) => () => void,
): Promise<string> {
  const find = (): string | undefined => wholeLines(text()).find((line) => matches(line, marker));
  let unsubscribe: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const said = new Promise<string>((resolve, reject) => {
    const look = (): void => {
      const line = find();
      if (line !== undefined) resolve(line);
    };
    const fail = (why: string): void => {
      const line = find();
      if (line !== undefined) resolve(line);
      else
        reject(
          new Error(`the guest did not say ${String(marker)}: ${why}. Its last lines:\n${tail(text())}`),
        );
    };
    unsubscribe = subscribe(look);
    timer = setTimeout(() => fail(`${timeoutMs} ms are over`), timeoutMs);
    void ended.then(() => fail('its console was closed'));
    look();
  });
  try {
    return await said;
  } finally {
    clearTimeout(timer);
    unsubscribe();
  }
}

/** A marker counts when its line is complete: half a nonce proves nothing. */
function wholeLines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

function matches(line: string, marker: string | RegExp): boolean {
  return typeof marker === 'string' ? line.includes(marker) : marker.test(line);
}

function tail(text: string): string {
  return text.split('\n').slice(-TAIL_LINES).join('\n');
}
