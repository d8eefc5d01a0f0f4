/**
 * A QMP client over any byte stream: a unix socket, or the socketpair that QEMU inherited.
 *
 * Replies are matched by id, never by order, because events come at any place, also between a command and its
 * reply (SHUTDOWN before the reply to `quit`).
 */
import type { Duplex } from 'node:stream';
import { eventHub, type QmpEventListener } from './event-hub.ts';
import { busy, closed, notQmp, refused, silent } from './failure.ts';
import { QmpFramingError, qmpDecoder } from './framing.ts';
import {
  type Json,
  type JsonObject,
  type QmpEvent,
  type QmpGreeting,
  type QmpMessage,
  type QmpResult,
  readMessage,
} from './message.ts';
import { pendingCommands, type QmpCommandOptions } from './pending.ts';

export interface QmpOptions {
  /** How long to wait for the greeting. 1000 unless given. */
  readonly greetingMs?: number;
  /** What a missing greeting means: `busy` (an established VM; the default) or `starting` (spawned just now). */
  readonly noGreeting?: 'busy' | 'starting';
  /** Each command's deadline unless it names its own. 10 000 unless given. */
  readonly commandMs?: number;
  /** Named in messages: the socket's path. */
  readonly where?: string;
  /** Gets every event, also those that come along with the reply to qmp_capabilities. */
  readonly onEvent?: QmpEventListener;
  /** Ends the opening only; commands have their own. */
  readonly signal?: AbortSignal;
}

export interface QmpClient {
  readonly greeting: QmpGreeting;
  /** A refusal is a value. Rejects when the monitor closes, the deadline passes or the signal fires. */
  tryExecute(command: string, args?: JsonObject, options?: QmpCommandOptions): Promise<QmpResult>;
  /** The same, but a refusal is thrown as QL_QMP_REFUSED. */
  execute(command: string, args?: JsonObject, options?: QmpCommandOptions): Promise<Json>;
  /** Returns the function that takes the listener away. */
  onEvent(listener: QmpEventListener): () => void;
  /** Events from now on; ends when the monitor closes or the signal fires. */
  events(signal?: AbortSignal): AsyncIterableIterator<QmpEvent>;
  /** Settles when the monitor is gone, for whatever reason; never rejects. */
  readonly closed: Promise<void>;
  /** Gives the monitor back to QEMU, which then serves the next client. */
  close(): void;
}

/** Waits for the greeting, negotiates, and only then hands out the client. Destroys the stream on failure. */
export async function openQmp(stream: Duplex, options: QmpOptions = {}): Promise<QmpClient> {
  const where = options.where ?? 'its monitor';
  const decoder = qmpDecoder();
  const hub = eventHub();
  if (options.onEvent) hub.add(options.onEvent);
  const pending = pendingCommands(where, options.commandMs ?? 10_000);
  const greeting = deferredGreeting(options, where);
  let markClosed: () => void = () => {};
  const whenClosed = new Promise<void>((resolve) => {
    markClosed = resolve;
  });
  let gone = false;
  /** Why the stream ended: a framing error, or the stream's own; undefined for a plain end. */
  let cause: Error | undefined;

  const ended = (command?: string): Error =>
    cause instanceof QmpFramingError ? notQmp(where, cause) : closed(where, command, cause);

  function end(reason?: Error): void {
    if (gone) return;
    gone = true;
    cause = reason;
    greeting.settle(ended());
    pending.fail(ended, !(cause instanceof QmpFramingError));
    hub.end();
    stream.destroy();
    markClosed();
  }

  function take(message: QmpMessage): void {
    if (message.kind === 'greeting') greeting.settle(message.greeting);
    if (message.kind === 'event') hub.emit(message.event);
    if (message.kind === 'reply') pending.settle(message.id, message.result);
  }

  function read(chunk: Uint8Array): void {
    try {
      for (const json of decoder.push(chunk)) take(readMessage(json));
    } catch (error) {
      if (!(error instanceof QmpFramingError)) throw error;
      end(error);
    }
  }

  async function tryExecute(
    command: string,
    args?: JsonObject,
    call: QmpCommandOptions = {},
  ): Promise<QmpResult> {
    if (gone) throw ended(command);
    return pending.add(command, call, (id) => {
      stream.write(`${JSON.stringify({ execute: command, ...(args ? { arguments: args } : {}), id })}\n`);
    });
  }

  async function execute(command: string, args?: JsonObject, call?: QmpCommandOptions): Promise<Json> {
    const result = await tryExecute(command, args, call);
    if (!result.ok) throw refused(command, result.error);
    return result.value;
  }

  stream.on('data', (chunk: Uint8Array) => {
    if (!gone) read(chunk);
  });
  stream.on('error', end);
  stream.once('end', () => end());
  stream.once('close', () => end());

  try {
    const hello = await greeting.promise;
    await execute('qmp_capabilities', undefined, options.signal ? { signal: options.signal } : {});
    return {
      greeting: hello,
      tryExecute,
      execute,
      onEvent: hub.add,
      events: hub.iterate,
      closed: whenClosed,
      close: () => end(),
    };
  } catch (error) {
    end();
    throw error;
  }
}

interface DeferredGreeting {
  readonly promise: Promise<QmpGreeting>;
  /** The first call counts. */
  settle(outcome: QmpGreeting | Error): void;
}

function deferredGreeting(options: QmpOptions, where: string): DeferredGreeting {
  const { signal, greetingMs = 1000 } = options;
  const missing = options.noGreeting === 'starting' ? silent : busy;
  let settle: DeferredGreeting['settle'] = () => {};
  const promise = new Promise<QmpGreeting>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = (): void => settle(signal?.reason);
    const timer = setTimeout(() => settle(missing(where, greetingMs)), greetingMs);
    signal?.addEventListener('abort', abort, { once: true });
    settle = (outcome) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
  });
  return { promise, settle: (outcome) => settle(outcome) };
}
