import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { QlaunchError } from '../../../../src/errors.ts';
import { processStart } from '../../../../src/host/ids.ts';
import { childrenOf } from '../../../../src/host/vm/children.ts';
import { signalQemu } from '../../../../src/host/vm/signal.ts';
import { FILES } from '../../../../src/plan/vm/waiter.ts';
import { explainSilence } from '../../../../src/run/vm/silent.ts';
import { makeVm, vmRoot } from './directory.ts';

/** Stands for a QEMU whose network script hangs. */
async function hanging(): Promise<{ dir: string; pid: number }> {
  const dir = makeVm(vmRoot(), 'web');
  const script = join(dir, 'ifup');
  writeFileSync(script, '#!/bin/sh\necho up\nsleep 1000\ntrue\n', { mode: 0o755 });
  const words = [`"${script}" tap1; true`, '-pidfile', join(dir, FILES.pid)];
  const qemu = spawn('/bin/sh', ['-c', ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = qemu.pid ?? 0;
  onTestFinished(() => [pid, ...childrenOf(pid).map((one) => one.pid)].forEach(end));
  writeFileSync(join(dir, FILES.pid), `${pid}\n`);
  await once(qemu.stdout, 'data');
  return { dir, pid };
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // As it should be.
  }
}

test('what QEMU waits for is named', async () => {
  const { dir } = await hanging();
  const silent = new QlaunchError('QL_QMP_SILENT', 5, {
    what: 'QEMU did not become ready',
    why: ['no greeting'],
  });
  const said = explainSilence(silent, dir);
  expect(said).toMatchObject({
    code: 'QL_QMP_SILENT',
    exit: 5,
    why: [expect.stringContaining(`${join(dir, 'ifup')} tap1 (pid `), 'no greeting'],
  });
  const other = new Error('other');
  expect(explainSilence(other, dir)).toBe(other);
});

test('a QEMU that is killed takes what it has started with it: a script would hold its tap', async () => {
  const { dir, pid } = await hanging();
  const children = childrenOf(pid);
  expect(children.map(({ argv }) => argv.join(' '))).toContainEqual(expect.stringContaining('ifup tap1'));
  signalQemu(dir, 'SIGKILL');
  const isGone = (): boolean => children.every((child) => processStart(child.pid) === undefined);
  await expect.poll(isGone).toBe(true);
});
