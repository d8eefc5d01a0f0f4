/** qlaunch stop | kill | wait | console | logs | qmp: commands on one VM. */
import { EXIT } from '../errors.ts';
import { identity } from '../host/vm/user.ts';
import type { JsonObject } from '../run/qmp/message.ts';
import { attachConsole } from '../run/vm/console.ts';
import { followLogs, readLogs } from '../run/vm/logs.ts';
import { withMonitor } from '../run/vm/monitor.ts';
import { alive, findVm, type VmStatus } from '../run/vm/status.ts';
import { killVm, stopVm, waitForEnd } from '../run/vm/stop.ts';
import { json, note } from './terminal.ts';

/** For QEMU to leave after `quit` or SIGKILL. */
export const QUIT_MS = 5_000;

const find = (name: string): VmStatus => findVm(name, identity(process.env), process.env);

async function each(names: readonly string[], work: (vm: VmStatus) => Promise<VmStatus>): Promise<number> {
  // All names are looked up before anything is stopped.
  const vms = names.map(find);
  const ends = await Promise.all(vms.map(work));
  for (const end of ends) note(`${end.record.name}: ${end.reason ?? end.state}`);
  return EXIT.ok;
}

export function stop(names: readonly string[], options: { readonly timeout: number }): Promise<number> {
  return each(names, (vm) =>
    stopVm(vm, {
      powerdownMs: options.timeout * 1000,
      quitMs: QUIT_MS,
      onStage: (text) => note(`${vm.record.name}: ${text}`),
    }),
  );
}

export function kill(names: readonly string[]): Promise<number> {
  return each(names, (vm) => killVm(vm, QUIT_MS));
}

/** The VM's fate as our status: 0 shut down, 4 QEMU failed or was killed. */
export async function wait(name: string, options: { readonly timeout?: number }): Promise<number> {
  const end = await waitForEnd(find(name), (options.timeout ?? Number.POSITIVE_INFINITY) * 1000);
  note(`${end.record.name}: ${end.reason ?? end.state}`);
  return end.state === 'ended' ? EXIT.ok : EXIT.host;
}

export async function consoleOf(name: string): Promise<number> {
  const vm = find(name);
  const { stdin } = process;
  if (stdin.isTTY) {
    note(`connected to ${name}; leave with Ctrl-]`);
    stdin.setRawMode(true);
  }
  try {
    const end = await attachConsole(vm, stdin, process.stdout);
    if (stdin.isTTY) note(end === 'guest' ? `\r\n${name} has ended` : '\r\nleft the console; the VM goes on');
  } finally {
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.unref();
  }
  return EXIT.ok;
}

export async function logs(
  name: string,
  options: { readonly follow?: boolean; readonly qemu?: boolean; readonly serial?: boolean },
): Promise<number> {
  const vm = find(name);
  const which = options.qemu
    ? ['qemu' as const]
    : options.serial
      ? ['serial' as const]
      : ['qemu' as const, 'serial' as const];
  const write = (chunk: Uint8Array): void => void process.stdout.write(chunk);
  if (options.follow && alive(vm)) await followLogs(vm, which, write);
  else for (const log of which) readLogs(vm, log, write);
  return EXIT.ok;
}

export async function qmp(name: string, command: string, args: JsonObject | undefined): Promise<number> {
  const result = await withMonitor(find(name), (client) => client.tryExecute(command, args));
  if (result.ok) {
    json(result.value);
    return EXIT.ok;
  }
  json({ error: result.error });
  return EXIT.host;
}
