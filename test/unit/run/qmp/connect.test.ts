import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectQmp } from '../../../../src/run/qmp/connect.ts';

let dir: string;
let server: Server | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qmp-'));
});
afterEach(() => {
  server?.close();
  rmSync(dir, { recursive: true });
});

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}\r\n';

function listen(path: string): Promise<void> {
  server = createServer((socket) => {
    socket.write(greeting);
    socket.on('data', (line) => {
      socket.write(`{"return": {}, "id": "${JSON.parse(line.toString()).id}"}\r\n`);
    });
  });
  return new Promise((resolve) => server?.listen(path, resolve));
}

test('a socket that appears later is waited for', async () => {
  const path = join(dir, 'qmp');
  const connecting = connectQmp(path, { deadlineMs: 5000 });
  await new Promise((resolve) => setTimeout(resolve, 30));
  await listen(path);
  const client = await connecting;
  expect(client.greeting.version.major).toBe(7);
  client.close();
  await client.closed;
});

test('nobody listens: refused at once without a deadline, after it with one', async () => {
  const path = join(dir, 'qmp');
  await expect(connectQmp(path)).rejects.toMatchObject({
    code: 'QL_QMP_UNREACHABLE',
    why: [expect.stringContaining('no QEMU listens there')],
  });
  await expect(connectQmp(path, { deadlineMs: 30 })).rejects.toMatchObject({
    code: 'QL_QMP_UNREACHABLE',
    message: `cannot reach QEMU on ${path} within 30 ms`,
  });
});

test('waiting ends when QEMU is known to be gone', async () => {
  const exited = new AbortController();
  const connecting = connectQmp(join(dir, 'qmp'), { deadlineMs: 60_000, signal: exited.signal });
  exited.abort(new Error('QEMU exited with status 1'));
  await expect(connecting).rejects.toThrow('QEMU exited with status 1');
});
