/** The guest's serial line on the caller's terminal. */
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { EXIT, QlaunchError } from '../../errors.ts';
import { withLock } from '../../host/flock.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { alive, type VmStatus } from './status.ts';

/** Ctrl-], as telnet and virsh console use it. */
const ESCAPE = 0x1d;

export type ConsoleEnd = 'escape' | 'guest' | 'input';

/**
 * Copies both ways until Ctrl-], the end of the input, or the guest's. `onConnect` is where the caller puts the terminal
 * into raw mode. One at a time: QEMU would leave a second one waiting without a word. Errors: QL_CONSOLE, QL_LOCKED.
 */
export function attachConsole(vm: VmStatus, io: ConsoleEnds): Promise<ConsoleEnd> {
  const name = vm.record.name;
  if (!alive(vm) || vm.record.serial !== 'socket')
    throw new QlaunchError('QL_CONSOLE', EXIT.refused, {
      what: `VM "${name}" has no console to attach to`,
      why: [alive(vm) ? `its serial line goes to ${vm.record.serial}` : (vm.reason ?? vm.state)],
      todo: [alive(vm) ? 'start it with --serial socket (the default with -d)' : `qlaunch logs ${name}`],
    });
  const order = { what: `qlaunch console ${name}`, waitMs: 0, dir: 'private' } as const;
  return withLock(join(vm.dir, FILES.consoleLock), order, () => copy(vm, io));
}

export interface ConsoleEnds {
  readonly input: Readable;
  readonly output: Writable;
  readonly onConnect: () => void;
}

function copy(vm: VmStatus, { input, output, onConnect }: ConsoleEnds): Promise<ConsoleEnd> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: join(vm.record.socketDir, FILES.serial) });
    let quiet: NodeJS.Timeout | undefined;
    const finish = (end: ConsoleEnd): void => {
      clearTimeout(quiet);
      input.off('data', typed);
      input.pause();
      socket.destroy();
      resolve(end);
    };
    const typed = (chunk: Buffer): void => {
      const at = chunk.indexOf(ESCAPE);
      if (at !== 0) socket.write(at < 0 ? chunk : chunk.subarray(0, at));
      if (at >= 0) finish('escape');
    };
    socket.once('connect', () => {
      onConnect();
      input.on('data', typed);
      // Piped input: QEMU hangs up when we do, so the guest may answer first, until it falls silent.
      input.once('end', () => {
        quiet = setTimeout(() => finish('input'), SILENCE_MS);
        setTimeout(() => finish('input'), ANSWER_MS).unref();
      });
    });
    socket.on('data', (chunk: Buffer) => {
      output.write(chunk);
      quiet?.refresh();
    });
    socket.once('error', (error) => reject(unreachable(vm.record.name, error)));
    socket.once('close', () => finish('guest'));
  });
}

const SILENCE_MS = 1_500;
const ANSWER_MS = 15_000;

function unreachable(name: string, error: Error): QlaunchError {
  const text = { what: `cannot reach the console of "${name}"`, why: [error.message] };
  return new QlaunchError('QL_CONSOLE', EXIT.host, text, { cause: error });
}
