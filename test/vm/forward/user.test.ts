/** Forwards of a `user` network, added and removed while QEMU runs. The guest need not boot: QEMU itself listens. */

import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { world } from '../../tiers/cli.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { freePort } from '../../tiers/port.ts';
import { qemus } from '../../tiers/qemus.ts';

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    onTestFinished(() => void socket.destroy());
  });

test.each(qemus)('added, listed, removed (QEMU $label)', async ({ binary }) => {
  const w = world();
  const port = await freePort();
  const run = [guestCopy(w.dir), '-n', 'u', '-d', '--accel', 'tcg', '--qemu', binary, '--net', 'user'];
  expect(await w.qlaunch(...run)).toMatchObject({ status: 0 });
  const forward = (...words: readonly string[]): ReturnType<typeof w.qlaunch> =>
    w.qlaunch('forward', ...words);

  const dry = await forward('add', 'u', `${port}:80`, '--dry-run');
  expect(dry.stdout).toBe(
    `qlaunch qmp u human-monitor-command '{"command-line":"hostfwd_add net0 tcp:127.0.0.1:${port}-:80"}'`,
  );
  expect(await listens(port)).toBe(false);
  expect(await forward('add', 'u', `${port}:80`)).toMatchObject({
    status: 0,
    stdout: `tcp 127.0.0.1:${port} -> guest 80, until u ends`,
  });
  expect(await listens(port)).toBe(true);
  const chosen = JSON.parse((await forward('add', 'u', '0:22', '--json')).stdout).forward;
  expect(await listens(chosen.hostPort)).toBe(true);
  const rows = JSON.parse((await forward('list', 'u', '--json')).stdout);
  expect(rows).toHaveLength(2);
  expect(rows).toContainEqual({
    ...{ nic: 'net0', mode: 'user', proto: 'tcp' },
    ...{ address: '127.0.0.1', hostPort: chosen.hostPort, guestPort: 22 },
  });
  // What ps tells has it too.
  expect((await w.qlaunch('ps', '--json')).stdout).toContain(`"hostPort":${chosen.hostPort}`);

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const taken = (server.address() as { port: number }).port;
  const refused = [
    [['add', 'u', `${taken}:80`], 3, `(pid ${process.pid}) listens on 127.0.0.1:${taken}`],
    [['add', 'u', `${port}:81`], 3, 'VM "u" has it: net0 forwards it to its port 80'],
    [['add', 'u', '203.0.113.77:8080:80'], 4, 'QEMU did not take the forward'],
    [['add', 'u', 'nonsense'], 2, 'is not a forward'],
    [['add', 'u', '1:1', '--nic', 'net7'], 2, 'has no NIC net7'],
    [['remove', 'u', '1:1'], 2, 'does not lead to VM "u"'],
  ] as const;
  for (const [words, status, said] of refused)
    expect(await forward(...words), said).toMatchObject({ status, stderr: expect.stringContaining(said) });

  expect(await forward('remove', 'u', `${port}`)).toMatchObject({ status: 0 });
  expect(await listens(port)).toBe(false);
  expect(JSON.parse((await forward('list', 'u', '--json')).stdout)).toHaveLength(1);
  await w.qlaunch('kill', 'u');
  expect(await forward('add', 'u', `${port}:80`)).toMatchObject({ status: 3 });
});
