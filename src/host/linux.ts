/** The real machine. Node built-ins only: the hooks import it, and QEMU waits for them. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Argv } from '../plan/step.ts';
import { linuxFiles, which } from './linux-files.ts';
import type { Machine, RunOptions, RunResult } from './port.ts';

/** What of our environment a tool may see. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: 'C', ...extra };
  for (const name of ['NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'LANGUAGE']) {
    if (!(name in extra)) delete env[name];
  }
  return env;
}

export interface LinuxOptions {
  /**
   * Descriptors that every child holds too. The host lock is one: when we are killed while a tool still works,
   * nobody looks at the host before that tool has ended.
   */
  readonly inherit?: () => readonly number[];
}

export function linuxMachine(options: LinuxOptions = {}): Machine {
  const inherit = options.inherit ?? (() => []);
  const runHere = (argv: Argv, how?: RunOptions): Promise<RunResult> => run(argv, how ?? {}, inherit());
  return {
    ...linuxFiles,
    run: runHere,
    async read(path) {
      if (!LOCKED.test(path)) return readAttribute(path);
      return (await import('./blocking.ts')).readBlocking(path, runHere);
    },
    async write(path, value, timeoutMs) {
      if (!mayBlock(path)) return writeAttribute(path, value);
      return (await import('./blocking.ts')).writeBlocking(path, value, runHere, timeoutMs);
    },
  };
}

/** Reading takes the device's lock, which an unbind that hangs keeps: linux/drivers/pci/pci-sysfs.c, iov.c. */
const LOCKED = /^\/sys\/bus\/pci\/devices\/[^/]+\/(driver_override|sriov_numvfs)$/;

const mayBlock = (path: string): boolean =>
  !path.startsWith('/proc/sys/') && !path.startsWith('/sys/class/net/');

function run(argv: Argv, options: RunOptions, inherit: readonly number[]): Promise<RunResult> {
  return new Promise((resolve) => {
    const [program, ...args] = argv;
    const child = spawn(which(program) ?? program, args, {
      stdio: ['pipe', 'pipe', 'pipe', ...inherit],
      env: cleanEnvironment(options.env),
      // A session of its own: Ctrl-C on our terminal must not cut a change or its undo in the middle.
      detached: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let [stdout, stderr] = ['', ''];
    let timedOut = false;
    const finish = (status: number | null, signal: string | null): void => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr, timedOut });
    };
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            killGroup(child.pid);
            // A child that sleeps in the kernel, or whose grandchildren hold its pipes, would keep us for ever.
            setTimeout(() => {
              for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.destroy();
              child.unref();
              finish(null, 'SIGKILL');
            }, 100);
          }, options.timeoutMs);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // A tool may end before it has read everything.
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => {
      stderr += error.message;
      finish(null, null);
    });
    child.on('close', finish);
    child.stdin?.end(options.stdin ?? '');
  });
}

/** With what it started itself. */
function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function readAttribute(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return text.endsWith('\n') ? text.slice(0, -1) : text;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function writeAttribute(path: string, value: string): void {
  const fd = openSync(path, 'w');
  try {
    writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}
