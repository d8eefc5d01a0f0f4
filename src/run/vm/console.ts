/** The guest's serial line on the caller's terminal. */
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { EXIT, QlaunchError } from '../../errors.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { alive, type VmStatus } from './status.ts';

/** Ctrl-], as telnet and virsh console use it. */
const ESCAPE = 0x1d;

export type ConsoleEnd = 'escape' | 'guest' | 'input';

/** Copies both ways until Ctrl-], the end of the input, or the guest's. The caller puts the terminal into raw mode. */
export function attachConsole(vm: VmStatus, input: Readable, output: Writable): Promise<ConsoleEnd> {
  const name = vm.record.name;
  if (!alive(vm) || vm.record.serial !== 'socket')
    throw new QlaunchError('QL_CONSOLE', EXIT.refused, {
      what: `VM "${name}" has no console to attach to`,
      why: [alive(vm) ? `its serial line goes to ${vm.record.serial}` : (vm.reason ?? vm.state)],
      todo: [alive(vm) ? `start it with --serial socket (the default with -d)` : `qlaunch logs ${name}`],
    });
  return new Promise((resolve, reject) => {
    const socket = connect({ path: join(vm.record.socketDir, FILES.serial) });
    const finish = (end: ConsoleEnd): void => {
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
      input.on('data', typed);
      // Piped input: give QEMU what was typed, then leave once the guest has had a moment to answer.
      input.once('end', () => socket.end(() => setTimeout(() => finish('input'), PIPED_GRACE_MS)));
    });
    socket.on('data', (chunk: Buffer) => output.write(chunk));
    socket.once('error', (error) => reject(unreachable(name, error)));
    socket.once('close', () => finish('guest'));
  });
}

const PIPED_GRACE_MS = 500;

function unreachable(name: string, error: Error): QlaunchError {
  const text = { what: `cannot reach the console of "${name}"`, why: [error.message] };
  return new QlaunchError('QL_CONSOLE', EXIT.host, text, { cause: error });
}
