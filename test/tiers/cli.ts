/** The built programs, run as a user runs them, each test in a world of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;

/** What a user may have installed: the bundle for Node, and the standalone executable where it was built. */
export const programs: readonly { label: string; path: string }[] = [
  { label: 'node', path: join(root, 'dist/bin/qlaunch') },
  ...(existsSync(join(root, 'dist/standalone/qlaunch'))
    ? [{ label: 'standalone', path: join(root, 'dist/standalone/qlaunch') }]
    : []),
];

interface Ran {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  /** Exit status, or null when a signal ended it. */
  readonly status: Promise<number | null>;
}

export interface World {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs qlaunch to its end. Never rejects because of its status. */
  qlaunch(...args: readonly string[]): Promise<Ran>;
  /** Starts it and leaves it running. */
  start(args: readonly string[]): Started;
}

/** Directories of its own for state, run-time files and configuration; VMs that still run at the end are killed. */
export function world(program: string = programs[0]?.path ?? ''): World {
  return worldOf([program], mkdtempSync(join(tmpdir(), 'qlaunch-world-')));
}

const NOBODY = 65_534;

/** The world of a user without any right. The clone may lie where nobody else gets, so the program is copied. */
export function userWorld(): World {
  const dir = mkdtempSync(join(tmpdir(), 'qlaunch-user-'));
  cpSync(join(root, 'dist/bin'), join(dir, 'bin'), { recursive: true });
  for (const path of [dir, join(dir, 'bin')]) chownSync(path, NOBODY, NOBODY);
  return worldOf([...asNobody, join(dir, 'bin/qlaunch')], dir);
}

const asNobody = ['setpriv', '--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', '--'];

const placesIn = (dir: string): Readonly<Record<string, string>> => ({
  HOME: dir,
  QLAUNCH_RUNTIME_DIR: join(dir, 'run'),
  QLAUNCH_STATE_DIR: join(dir, 'state'),
  QLAUNCH_CONFIG_DIR: join(dir, 'config'),
  QLAUNCH_CACHE_DIR: join(dir, 'cache'),
  NO_COLOR: '1',
});

/** As on a real host: root and a user in one world, whose places are the sandbox's own /run, /etc and /var/lib. */
export function hostWorlds(): { readonly root: World; readonly user: World } {
  const user = userWorld();
  const at = (dir: string): Readonly<Record<string, string>> => ({ HOME: dir, NO_COLOR: '1' });
  const rootDir = mkdtempSync(join(tmpdir(), 'qlaunch-world-'));
  return {
    root: worldOf([programs[0]?.path ?? ''], rootDir, at(rootDir)),
    user: worldOf([...asNobody, join(user.dir, 'bin/qlaunch')], user.dir, at(user.dir)),
  };
}

function worldOf(
  [program = '', ...first]: readonly string[],
  dir: string,
  env: Readonly<Record<string, string>> = placesIn(dir),
): World {
  const qlaunch = async (...args: readonly string[]): Promise<Ran> => {
    const { exitCode, stdout, stderr } = await execa(program, [...first, ...args], {
      env,
      cwd: dir,
      reject: false,
      stdin: 'ignore',
    });
    return { status: exitCode, stdout, stderr };
  };
  onTestFinished(async () => {
    const { stdout } = await qlaunch('ps', '--json');
    const alive = (JSON.parse(stdout || '[]') as { name: string; state: string }[]).filter(
      ({ state }) => state === 'running' || state === 'starting',
    );
    if (alive.length > 0) await qlaunch('kill', ...alive.map(({ name }) => name));
    rmSync(dir, { recursive: true, force: true });
  });
  const start = (args: readonly string[]): Started => {
    const child = spawn(program, [...first, ...args], { env: { ...process.env, ...env }, cwd: dir });
    return { child, status: once(child, 'close').then(([status]) => status) };
  };
  return { dir, env, qlaunch, start };
}

/** One VM as `ps --json` shows it. */
export interface VmRow {
  readonly name: string;
  readonly state: string;
  readonly pid?: number;
  readonly reason?: string;
  readonly dir: string;
  readonly argv: readonly string[];
}

export async function vmRow(of: World, name: string): Promise<VmRow> {
  const { stdout } = await of.qlaunch('ps', '--json');
  const row = (JSON.parse(stdout) as VmRow[]).find((vm) => vm.name === name);
  if (row === undefined) throw new Error(`ps does not show ${name}: ${stdout}`);
  return row;
}

/** QEMU's pid. Never 0, which kill(2) takes for all of us. */
export async function pidOf(of: World, name: string): Promise<number> {
  const { pid } = await vmRow(of, name);
  if (pid === undefined) throw new Error(`${name} has no process`);
  return pid;
}

/** The pid of a process's parent. */
export function parentOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
}
