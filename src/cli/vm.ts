/** qlaunch stop | kill | wait | console | logs | qmp: commands on one VM. */
import { EXIT } from '../errors.ts';
import { identity } from '../host/vm/user.ts';
import { shellLine } from '../plan/shell.ts';
import { openEngine } from '../run/open-engine.ts';
import { refused } from '../run/qmp/failure.ts';
import type { JsonObject } from '../run/qmp/message.ts';
import { attachConsole } from '../run/vm/console.ts';
import { followLogs, type LogName, readLogs, serialFile } from '../run/vm/logs.ts';
import { withMonitor } from '../run/vm/monitor.ts';
import { alive, findVm, type VmStatus } from '../run/vm/status.ts';
import { killVm, stopVm, waitForEnd } from '../run/vm/stop.ts';
import { tellLeft } from './left.ts';
import { fail, json, note, raw, stdout } from './terminal.ts';

declare const QLAUNCH_VERSION: string;

/** For QEMU to leave after `quit` or SIGKILL. */
export const QUIT_MS = 5_000;

const find = (name: string): VmStatus => findVm(name, identity(process.env), process.env);

interface Show {
  readonly json?: boolean;
}

/** The documented shape of `wait --json`, and of each element of `stop --json` and `kill --json`. */
function fate({ record, state, exit, reason }: VmStatus): object {
  const { name, uid } = record;
  return {
    name,
    uid,
    state,
    ...(exit === undefined ? {} : { exit }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** All names are looked up before anything is done; one failure hides no other's result. The worst status wins. */
async function each(
  names: readonly string[],
  options: Show,
  work: (vm: VmStatus) => Promise<{ readonly vm: VmStatus; readonly status: number }>,
): Promise<number> {
  const vms = names.map(find);
  const results = await Promise.allSettled(vms.map(work));
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (options.json) json(done.map(({ vm }) => fate(vm)));
  const left = endOf(done.map(({ vm }) => vm));
  return Math.max(
    left,
    ...results.map((result) => {
      if (result.status === 'rejected') return fail(result.reason);
      const { vm, status } = result.value;
      if (!options.json) note(`${vm.record.name}: ${vm.reason ?? vm.state}`);
      return status;
    }),
  );
}

/** 6 when a guard has not taken everything back. */
function endOf(vms: readonly VmStatus[]): number {
  if (process.geteuid?.() !== 0) return EXIT.ok;
  const engine = openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
  return Math.max(EXIT.ok, ...vms.filter((vm) => !alive(vm)).map(({ record }) => tellLeft(record, engine)));
}

/** 0: the guests shut down. 5: one did not in time, and QEMU was told to quit or killed. */
export function stop(
  names: readonly string[],
  options: Show & { readonly timeout: number },
): Promise<number> {
  return each(names, options, async (wanted) => {
    const onStage = (text: string): void => note(`${wanted.record.name}: ${text}`);
    const { vm, politely } = await stopVm(wanted, {
      powerdownMs: options.timeout * 1000,
      quitMs: QUIT_MS,
      onStage,
    });
    return { vm, status: politely ? EXIT.ok : EXIT.stuck };
  });
}

export function kill(names: readonly string[], options: Show): Promise<number> {
  return each(names, options, async (vm) => ({ vm: await killVm(vm, QUIT_MS), status: EXIT.ok }));
}

/** The VM's fate as our status: 0 shut down, 4 QEMU failed or was killed. */
export async function wait(name: string, options: Show & { readonly timeout?: number }): Promise<number> {
  const end = await waitForEnd(find(name), (options.timeout ?? Number.POSITIVE_INFINITY) * 1000);
  if (options.json) json(fate(end));
  else note(`${end.record.name}: ${end.reason ?? end.state}`);
  return end.state === 'ended' ? EXIT.ok : EXIT.host;
}

export async function consoleOf(name: string): Promise<number> {
  const { stdin: input } = process;
  const output = stdout();
  const onConnect = (): void => {
    if (!input.isTTY) return;
    note(`connected to ${name}; leave with Ctrl-]`);
    input.setRawMode(true);
  };
  try {
    const end = await attachConsole(find(name), { input, output, onConnect });
    if (input.isTTY) note(end === 'guest' ? `\r\n${name} has ended` : '\r\nleft the console; the VM goes on');
  } finally {
    if (input.isTTY) input.setRawMode(false);
    // A terminal or pipe would keep us alive; a file has nothing to let go of.
    input.unref?.();
  }
  return EXIT.ok;
}

export async function logs(
  name: string,
  options: Show & { readonly follow?: boolean; readonly qemu?: boolean; readonly serial?: boolean },
): Promise<number> {
  const vm = find(name);
  const which = options.qemu
    ? ['qemu' as const]
    : options.serial
      ? ['serial' as const]
      : ['qemu' as const, 'serial' as const];
  if (options.json) {
    json(Object.fromEntries(which.map((log) => [log, wholeLog(vm, log)])));
    return EXIT.ok;
  }
  const file = options.qemu ? undefined : serialFile(vm.record);
  if (file !== undefined) note(`the serial line of ${name} goes to ${file}: ${shellLine(['tail', file])}`);
  if (options.follow && alive(vm)) await followLogs(vm, which, raw, () => process.stdout.writable);
  else for (const log of which) readLogs(vm, log, raw);
  return EXIT.ok;
}

function wholeLog(vm: VmStatus, log: LogName): string {
  const pieces: Uint8Array[] = [];
  readLogs(vm, log, (piece) => void pieces.push(piece));
  return Buffer.concat(pieces).toString('utf8');
}

export async function qmp(name: string, command: string, args: JsonObject | undefined): Promise<number> {
  const result = await withMonitor(find(name), (client) => client.tryExecute(command, args));
  if (result.ok) {
    json(result.value);
    return EXIT.ok;
  }
  return fail(refused(command, result.error));
}
