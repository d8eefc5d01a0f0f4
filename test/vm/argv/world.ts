/** A machine of its own for one QEMU; world.sh says what is in it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { QmpClient } from '../../../src/run/qmp/client.ts';
import { connectQmp } from '../../../src/run/qmp/connect.ts';

export interface World {
  /** A path in the world as this process reaches it. */
  path(inside: string): string;
  /** Lets the command start. */
  go(): void;
  /** The first client of a monitor, or QEMU's last words when it did not start. */
  monitor(socket: string): Promise<QmpClient | string>;
  /** The bridges that taps are ports of, one per tap that is. */
  bridges(): readonly string[];
  /** All that QEMU has said on stderr. */
  said(): string;
}

/** `command`: shell text that ends in `exec qemu-system-x86_64 …`, which is then `binary`. */
export async function world(command: string, binary: string): Promise<World> {
  const bin = mkdtempSync(join(tmpdir(), 'argv-'));
  symlinkSync(binary, join(bin, 'qemu-system-x86_64'));
  const script = new URL('world.sh', import.meta.url).pathname;
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, COMMAND: command, LC_ALL: 'C' };
  const child = spawn('unshare', ['--net', '--mount', 'bash', script], { env, cwd: '/', stdio: 'pipe' });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended(child);
    rmSync(bin, { recursive: true });
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  await Promise.race([
    new Promise((resolve) => child.stdout.once('data', resolve)),
    ended(child).then(() => Promise.reject(new Error(`the world was not made: ${stderr}`))),
  ]);
  const root = `/proc/${child.pid}/root`;
  return {
    path: (inside) => join(root, inside),
    go: () => void child.stdin.write('go\n'),
    monitor: (socket) => {
      const gone = new AbortController();
      const failed = ended(child).then(() => {
        gone.abort();
        return stderr;
      });
      // A QEMU that refuses its arguments listens before it reads them all: its end explains the broken connection.
      const broken = (error: unknown): Promise<string> =>
        Promise.race([failed, sleep(2_000).then(() => Promise.reject(error))]);
      return Promise.race([
        failed,
        connectQmp(join(root, socket), { deadlineMs: 30_000, signal: gone.signal }).catch(broken),
      ]);
    },
    bridges: () => {
      const ip = ['ip', '-j', 'link', 'show', 'type', 'tun'];
      const links = execFileSync('nsenter', [`--net=/proc/${child.pid}/ns/net`, ...ip], { encoding: 'utf8' });
      return (JSON.parse(links) as { master?: string }[]).flatMap(({ master }) => master ?? []).sort();
    },
    said: () => stderr,
  };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('close', () => resolve()));
}

/** The directory of `path` in the world, made when it is missing. */
export function parentIn(place: World, path: string): string {
  const dir = place.path(join(path, '..'));
  mkdirSync(dir, { recursive: true });
  return join(dir, basename(path));
}
