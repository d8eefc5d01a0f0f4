/** What QEMU said and what the guest printed; both stay after the end. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFrom } from '../../host/vm/logfile.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { alive, readStatus, type VmStatus } from './status.ts';

export type LogName = 'qemu' | 'serial';

const FILE = { qemu: FILES.qemuLog, serial: FILES.serialLog } as const;
const POLL_MS = 100;

/** `--serial file:PATH`: what the guest prints is there and not in our log. */
export function serialFile({ serial, argv }: VmStatus['record']): string | undefined {
  if (serial !== 'file') return undefined;
  const option = argv.find((word) => word.startsWith('file,id=serial0,path='));
  return option?.slice('file,id=serial0,path='.length).replaceAll(',,', ',');
}

/** Hands over the log in pieces from `offset` (bytes) on; returns where it ended. */
export function readLogs(vm: VmStatus, log: LogName, write: (chunk: Uint8Array) => void, offset = 0): number {
  return readFrom(join(vm.dir, FILE[log]), offset, write);
}

/** The same, and what is added until the VM ends or nobody reads it any more. */
export async function followLogs(
  vm: VmStatus,
  logs: readonly LogName[],
  write: (chunk: Uint8Array) => void,
  wanted: () => boolean,
): Promise<void> {
  const offsets = new Map(logs.map((log) => [log, 0]));
  for (;;) {
    // Asked before reading: what was written before the end is then read after it.
    const status = readStatus(vm.dir);
    for (const [log, offset] of offsets) offsets.set(log, readLogs(vm, log, write, offset));
    if (status === undefined || !alive(status) || !wanted()) return;
    await sleep(POLL_MS);
  }
}
