/** QEMU as a person writes it by hand, with our hooks as its scripts. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { consoleOf, type GuestConsole } from '../../tiers/console.ts';
import { guestFile } from '../../tiers/guest.ts';
import type { Hooks } from '../../tiers/hooks.ts';

const BARE = ['-m', '192', '-nodefaults', '-no-user-config', '-display', 'none'];
const GUEST = [
  ...['-kernel', guestFile('vmlinuz'), '-initrd', guestFile('initrd')],
  ...['-append', 'console=ttyS0 quiet net.ifnames=0'],
];

export interface Qemu {
  readonly child: ChildProcessWithoutNullStreams;
  readonly console: GuestConsole;
  readonly exited: Promise<readonly unknown[]>;
  stderr(): string;
}

/** One tap, its guest NIC, and what else is asked for. */
export function startQemu(
  binary: string,
  { up, down }: Hooks,
  env: Readonly<Record<string, string>>,
  more: readonly string[] = [],
): Qemu {
  const tap = `tap,id=n0,ifname=tap1,script=${up},downscript=${down}`;
  const child = spawn(
    binary,
    [...BARE, ...GUEST, '-netdev', tap, '-device', 'virtio-net-pci,netdev=n0,romfile=', ...more],
    { env: { ...process.env, ...env } },
  );
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, console: consoleOf(child.stdout, child.stdin), exited, stderr: () => stderr };
}
