import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openQmp } from '../../src/run/qmp/client.ts';
import { connectQmp } from '../../src/run/qmp/connect.ts';
import { scratchDir } from '../tiers/guest.ts';
import { qemus } from '../tiers/qemus.ts';

describe.each(qemus)('QEMU $label', ({ binary }) => {
  const MACHINE = ['-machine', 'q35', '-accel', 'tcg', '-m', '32', '-nodefaults', '-display', 'none', '-S'];

  function start(args: readonly string[], stdio: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
    const child = spawn(binary, [...MACHINE, ...args], { stdio: ['ignore', 'pipe', 'pipe', stdio] });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    return child;
  }
  const onSocket = (path: string): string[] => ['-qmp', `unix:${path},server=on,wait=off`];

  test('a client that comes before QEMU does waits for it, asks, and quits', async () => {
    const path = join(scratchDir(), 'qmp');
    const opening = connectQmp(path, { deadlineMs: 20_000 });
    const child = start(['-name', 'guest=web', ...onSocket(path)]);
    const client = await opening;
    expect(await client.execute('query-name')).toEqual({ name: 'web' });
    expect(await client.execute('query-status')).toMatchObject({ status: 'prelaunch' });
    expect(await client.tryExecute('no-such-command')).toMatchObject({
      ok: false,
      error: { class: 'CommandNotFound' },
    });
    const seen: string[] = [];
    client.onEvent(({ name, data }) => seen.push(`${name} ${String(data['reason'])}`));
    const exited = new Promise((resolve) => child.once('exit', resolve));
    expect(await client.execute('quit')).toEqual({});
    await client.closed;
    expect(seen).toEqual(['SHUTDOWN host-qmp-quit']);
    expect(await exited).toBe(0);
  });

  test('the schema, one line of hundreds of kilobytes, comes whole', async () => {
    const path = join(scratchDir(), 'qmp');
    start(onSocket(path));
    const client = await connectQmp(path, { deadlineMs: 20_000 });
    const schema = await client.execute('query-qmp-schema');
    expect(JSON.stringify(schema).length).toBeGreaterThan(150_000);
    client.close();
  });

  test('an inherited socketpair is a monitor too', async () => {
    const args = ['-chardev', 'socket,id=mon,fd=3', '-mon', 'chardev=mon,mode=control'];
    const child = start(args, 'pipe');
    const client = await openQmp(child.stdio[3] as Duplex, { greetingMs: 20_000, noGreeting: 'starting' });
    expect(await client.execute('query-status')).toMatchObject({ running: false });
    await client.execute('quit');
  });

  test('a second client is told that the monitor is taken, and gets it when the first has gone', async () => {
    const path = join(scratchDir(), 'qmp');
    start(onSocket(path));
    const first = await connectQmp(path, { deadlineMs: 20_000 });
    await expect(connectQmp(path)).rejects.toMatchObject({
      code: 'QL_QMP_BUSY',
      message: expect.stringContaining(path),
    });
    first.close();
    const second = await connectQmp(path, { deadlineMs: 20_000 });
    expect(await second.execute('query-status')).toMatchObject({ running: false });
  });

  test('many that queue are all called busy, also past the kernel’s queue', async () => {
    const path = join(scratchDir(), 'qmp');
    start(onSocket(path));
    await connectQmp(path, { deadlineMs: 20_000 });
    const codes = await Promise.all(
      Array.from({ length: 8 }, () =>
        connectQmp(path).then(
          () => 'connected',
          (error) => error.code,
        ),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(['QL_QMP_BUSY']));
  });

  test('a QEMU that is killed ends what was asked of it', async () => {
    const path = join(scratchDir(), 'qmp');
    const child = start(onSocket(path));
    const client = await connectQmp(path, { deadlineMs: 20_000 });
    child.kill('SIGSTOP');
    const asked = client.execute('query-status');
    await expect(client.execute('query-name', undefined, { deadlineMs: 50 })).rejects.toMatchObject({
      code: 'QL_QMP_TIMEOUT',
    });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await expect(asked).rejects.toMatchObject({ code: 'QL_QMP_CLOSED' });
    await client.closed;
    // The monitor's end may be closed a moment before the socket it came from.
    await exited;
    await expect(connectQmp(path)).rejects.toMatchObject({ code: 'QL_QMP_UNREACHABLE' });
  });

  test('the human monitor is not taken for QMP', async () => {
    const path = join(scratchDir(), 'hmp');
    const child = start(['-monitor', `unix:${path},server=on,wait=off`]);
    await expect(connectQmp(path, { deadlineMs: 20_000 })).rejects.toMatchObject({ code: 'QL_QMP_PROTOCOL' });
    const again = connect(path);
    await new Promise((resolve) => again.once('data', resolve));
    expect(child.exitCode).toBeNull();
    again.destroy();
  });
});
