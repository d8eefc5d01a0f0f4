// needs: bridge, veth
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { type World, world } from '../../tiers/cli.ts';
import { ADDRESSES, cable, carry, ip, NIC, quiet, STATIC, type Stream, settled, talk } from './outside.ts';

const look = (): Snapshot => snapshot({ files: [] });
const CREATE = ['bridge', 'create', 'br0', '--uplink', NIC];
/** The watcher's last act is to remove its files. */
const watching = (of: World): boolean => readdirSync(`${of.env['QLAUNCH_RUNTIME_DIR']}/confirm`).length > 0;

/** The session lived, and no silence was as long as a second. */
function expectAlive(streams: readonly Stream[]): void {
  expect(streams.map(({ kind, address }) => `${kind} ${address}`)).toEqual(
    ADDRESSES.flatMap((address) => [`tcp ${address}`, `udp ${address}`]),
  );
  for (const { ended, maxGapMs, sent, lost } of streams) {
    expect(ended).toBe(false);
    expect(sent).toBeGreaterThan(100);
    expect(lost).toBeLessThan(100);
    expect(maxGapMs).toBeLessThan(1_000);
  }
}

test('all that is on a NIC moves to the bridge and back; a session from outside lives through all of it', async () => {
  const { qlaunch } = world();
  cable();
  carry(STATIC);
  await quiet();
  const before = look();
  const end = await talk();

  const made = await qlaunch(...CREATE);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  for (const gateway of ['10.9.0.1', '10.9.0.2', 'fd09::1'])
    expect(made.stdout).toContain(`  proven   the gateway ${gateway} answers over br0\n`);
  expect(made.stdout).toMatch(/sudo \S*qlaunch bridge confirm br0 {3}# within 60 s/);
  // Nothing of it is left on the port, and everything that named it names the bridge.
  expect(ip(`-o address show dev ${NIC}`)).toBe('');
  expect(ip('route show table all') + ip('-6 route show table all')).not.toContain(NIC);
  expect(ip('rule') + ip('-6 rule')).not.toContain(NIC);
  const moved = [...before.keys()].filter((key) =>
    /^(address up0|route -[46]|neighbour|rule -[46]) /.test(key),
  );
  const renamed = moved.map((key) => key.replaceAll(NIC, 'br0'));
  const now = look();
  expect(renamed.filter((key) => !now.has(key) && !/ff00::|fe80::/.test(key))).toEqual([]);
  expect(readFileSync('/sys/class/net/br0/address', 'utf8')).toBe('52:54:00:aa:bb:01\n');
  expect(readFileSync('/sys/class/net/br0/addr_assign_type', 'utf8')).toBe('3\n');

  expect(await qlaunch('bridge', 'confirm', 'br0')).toMatchObject({ status: 0 });
  expect(await qlaunch('bridge', 'confirm', 'br0')).toMatchObject({ status: 2 });
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);

  expect(await qlaunch(...CREATE)).toMatchObject({ status: 0 });
  expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);

  // On trial it is undone by its name as well.
  const { change } = JSON.parse((await qlaunch(...CREATE, '--json')).stdout) as { change: string };
  expect(await qlaunch('undo', change)).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
  expectAlive(await end());
});

test('another link has a default route with the same metric: it keeps it, and which comes first stays', async () => {
  const { qlaunch } = world();
  cable();
  ip('link add other type veth peer name others');
  onTestFinished(() => void ip('link delete other'));
  for (const line of [
    'link set other up',
    'link set others up',
    'address add 10.20.0.5/24 dev other',
    `address add 10.9.0.50/24 dev ${NIC}`,
    ...['100', '200'].flatMap((metric) => {
      const routes = [`via 10.20.0.1 dev other`, `via 10.9.0.1 dev ${NIC}`].map(
        (way) => `route append default ${way} metric ${metric}`,
      );
      return metric === '100' ? routes : routes.toReversed();
    }),
  ])
    ip(line);
  await quiet();
  const before = ip('-4 route show');
  expect(await qlaunch(...CREATE, '--no-confirm')).toMatchObject({ status: 0, stderr: '' });
  expect(ip('-4 route show')).toBe(before.replaceAll(NIC, 'br0'));
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(ip('-4 route show')).toBe(before);
});

test('what nobody confirms is put back without us, and the session does not notice', async () => {
  const of = world();
  cable();
  carry(STATIC);
  await quiet();
  const before = look();
  const end = await talk();
  expect(await of.qlaunch(...CREATE, '--confirm', '5s')).toMatchObject({ status: 0 });
  expect(watching(of)).toBe(true);
  await settled(() => !watching(of));
  expect(differences(before, look())).toEqual([]);
  expectAlive(await end());
  expect((await of.qlaunch('bridge', 'confirm', 'br0')).stderr).toContain('QL_NO_TRIAL');
});

test('what was given to the bridge meanwhile is on the NIC when the bridge is deleted', async () => {
  const { qlaunch } = world();
  cable();
  carry(STATIC);
  await quiet();
  await qlaunch(...CREATE, '--no-confirm');
  ip('address add 10.9.0.70/24 dev br0');
  ip('route add 10.2.0.0/16 via 10.9.0.1');
  ip('address del fd09::51/64 dev br0');
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(ip(`-o address show dev ${NIC}`)).toContain('10.9.0.70/24');
  expect(ip(`-o address show dev ${NIC}`)).not.toContain('fd09::51');
  expect(ip('route show')).toContain(`10.2.0.0/16 via 10.9.0.1 dev ${NIC}`);
});

test('the watcher itself is killed: the next recover puts all back', async () => {
  const of = world();
  cable();
  carry(STATIC);
  await quiet();
  const before = look();
  expect(await of.qlaunch(...CREATE, '--confirm', '1m')).toMatchObject({ status: 0 });
  const dir = `${of.env['QLAUNCH_RUNTIME_DIR']}/confirm`;
  const armed = readdirSync(dir).find((name) => name.endsWith('.armed')) ?? '';
  const pid = Number(readFileSync(`${dir}/${armed}`, 'utf8'));
  process.kill(pid, 'SIGKILL');
  await settled(() => !existsSync(`/proc/${pid}`));
  expect(await of.qlaunch('recover')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
  expect(watching(of)).toBe(false);
});

test('the bridge does not do what the NIC did: the gateway is silent there, and all is put back at once', async () => {
  const { qlaunch } = world();
  cable();
  carry(STATIC);
  await quiet();
  const before = look();
  // The switch at the other end drops whatever the bridge asks: what leaves the NIC after it became a port.
  const drop = spawn('bash', [
    '-c',
    `until ip link show dev br0 > /dev/null 2>&1; do :; done; exec ip netns exec outside ip link set far down`,
  ]);
  onTestFinished(() => void drop.kill('SIGKILL'));
  const made = await qlaunch(...CREATE);
  expect(made.status).toBe(4);
  expect(made.stderr).toMatch(
    /QL_NOT_PROVEN[\s\S]*the gateway 10\.9\.0\.1 does not answer over br0[\s\S]*all is as it was before/,
  );
  ip('netns exec outside ip link set far up');
  await settled(() => differences(before, look()).length === 0);
  expect((await qlaunch('bridge', 'confirm')).stderr).toContain('QL_NO_TRIAL');
});
