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
      const result = await runHere(['cat', path], { timeoutMs: LOCKED_MS });
      if (result.status === 0) return result.stdout.replace(/\n$/, '');
      const error = writeError(path, result, 'read');
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
    async write(path, value, timeoutMs) {
      if (!mayBlock(path)) return writeAttribute(path, value);
      // Unbinding a driver can sleep for ever in the kernel. A child can be left behind, a thread of ours can not.
      // dd tells what the kernel said; dash's printf calls everything an I/O error. One read, one write.
      const argv: Argv = ['dd', `of=${path}`, 'bs=4096', 'conv=notrunc'];
      const result = await runHere(argv, {
        stdin: value,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      if (result.status !== 0) throw writeError(path, result);
    },
  };
}

/** Reading takes the device's lock, which an unbind that hangs keeps: linux/drivers/pci/pci-sysfs.c, iov.c. */
const LOCKED = /^\/sys\/bus\/pci\/devices\/[^/]+\/(driver_override|sriov_numvfs)$/;
const LOCKED_MS = 5_000;

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

const ERRNO: readonly (readonly [string, string])[] = [
  ['Permission denied', 'EACCES'],
  ['not permitted', 'EPERM'],
  ['Device or resource busy', 'EBUSY'],
  ['No such device', 'ENODEV'],
  ['Invalid argument', 'EINVAL'],
  ['nonexistent', 'ENOENT'],
  ['No such file', 'ENOENT'],
  ['allocate memory', 'ENOMEM'],
  ['No space left', 'ENOSPC'],
  ['out of range', 'ERANGE'],
  ['Input/output error', 'EIO'],
  ['I/O error', 'EIO'],
];

function writeError(path: string, result: RunResult, syscall: string = 'write'): NodeJS.ErrnoException {
  const text = result.stderr.trim();
  const code = result.timedOut ? 'ETIMEDOUT' : (ERRNO.find(([words]) => text.includes(words))?.[1] ?? 'EIO');
  return Object.assign(new Error(`${code}: ${syscall} ${path}: ${text}`), { code, path, syscall });
}
