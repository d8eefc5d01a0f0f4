/** Host.run over child_process, for tests that ask a real program. */
import { spawn } from 'node:child_process';
import type { RunOptions, RunResult } from '../../../../src/host/port.ts';
import type { Argv } from '../../../../src/plan/step.ts';

export function runCommand(argv: Argv, options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const [program, ...args] = argv;
    const env = { PATH: process.env['PATH'], LC_ALL: 'C', ...options.env };
    const child = spawn(program, args, { env, cwd: options.cwd });
    const out = { stdout: '', stderr: '', timedOut: false };
    const timer = setTimeout(() => {
      out.timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 60_000);
    child.stdout.on('data', (chunk) => {
      out.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      out.stderr += chunk;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin ?? '');
    const finish = (status: number | null, signal: string | null): void => {
      clearTimeout(timer);
      resolve({ status, signal, ...out });
    };
    child.on('error', (error) => {
      out.stderr += error.message;
      finish(null, null);
    });
    child.on('close', finish);
  });
}
