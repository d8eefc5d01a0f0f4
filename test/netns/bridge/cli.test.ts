// needs: bridge, veth, tap, macvlan
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';

const ip = (line: string): string => execFileSync('ip', line.split(' '), { encoding: 'utf8' });
const look = (): Snapshot => snapshot({ files: [] });
const bridgeFile = (name: string): string => readFileSync(`/sys/class/net/br0/bridge/${name}`, 'utf8').trim();

/** A veth pair; the second end is as if at the other end of the cable. */
function cable(name: string): void {
  ip(`link add ${name} type veth peer name ${name}-far`);
  // The first time that it is up gives it a queue, for good.
  ip(`link set ${name} up`);
  ip(`link set ${name} down`);
  onTestFinished(() => void ip(`link delete ${name}`));
}

test('seed: ip link add br0 type bridge; brctl addbr br0; ip link del br0', async () => {
  const { qlaunch } = world();
  const before = look();
  const made = await qlaunch('bridge', 'create', 'br0');
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toMatch(
    /^br0 is there, until the next boot\n {2}use {4}qlaunch IMAGE --net bridge:br0/,
  );
  expect([bridgeFile('stp_state'), bridgeFile('forward_delay')]).toEqual(['0', '0']);
  // 3: set, as opposed to taken from a port.
  expect(readFileSync('/sys/class/net/br0/addr_assign_type', 'utf8')).toBe('3\n');
  expect(await qlaunch('bridge', 'create', 'br0')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('QL_LINK_EXISTS') as string,
  });
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('QL_NO_BRIDGE') as string,
  });
});

test('every setting at once, each as the kernel shows it, and an address of each family', async () => {
  const { qlaunch } = world();
  cable('small');
  const before = look();
  const settings = ['--stp', 'on', '--delay', '6', '--mtu', '1400'];
  const addresses = ['--address', '192.0.2.1/24', '--address', '2001:db8::1/64'];
  expect(await qlaunch('bridge', 'create', 'br0', ...settings, ...addresses)).toMatchObject({ status: 0 });
  expect([bridgeFile('stp_state'), bridgeFile('forward_delay')]).toEqual(['1', '600']);
  expect(ip('-o address show dev br0')).toMatch(/inet 192\.0\.2\.1\/24 brd 192\.0\.2\.255 /);
  expect(ip('-o address show dev br0')).toContain('inet6 2001:db8::1/64');
  ip('link set small mtu 1300 master br0');
  // Pinned: a smaller port does not make it smaller.
  expect(readFileSync('/sys/class/net/br0/mtu', 'utf8')).toBe('1400\n');
  ip('link set small mtu 1500 nomaster');
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
});

test('seed: brctl addif br0 eth0; ip link set eth0 master br0; nomaster', async () => {
  const { qlaunch } = world();
  cable('nic');
  const before = look();
  await qlaunch('bridge', 'create', 'br0');
  expect(await qlaunch('bridge', 'add-port', 'br0', 'nic')).toMatchObject({ status: 0 });
  const [row] = JSON.parse((await qlaunch('bridge', 'show', '--json')).stdout) as [
    { ports: readonly { name: string }[]; changes: readonly string[] },
  ];
  expect(row.ports).toEqual([
    { name: 'nic', kind: 'veth', state: expect.any(String) as string, promiscuous: true },
  ]);
  expect(row.changes).toHaveLength(2);
  expect(await qlaunch('bridge', 'add-port', 'br0', 'nic')).toMatchObject({
    status: 0,
    stdout: 'nothing to do: it is so already',
  });
  expect(await qlaunch('bridge', 'remove-port', 'br0', 'nic')).toMatchObject({ status: 0 });
  expect(existsSync('/sys/class/net/nic/master')).toBe(false);
  ip('link set nic master br0');
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('nic (veth) is a port of it') as string,
  });
  expect(await qlaunch('bridge', 'remove-port', 'br0', 'nic')).toMatchObject({ status: 0 });
  expect(existsSync('/sys/class/net/nic/master')).toBe(false);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
});

test('seed: brctl stp br0 on; and back, whatever the delay was', async () => {
  const { qlaunch } = world();
  await qlaunch('bridge', 'create', 'br0');
  const before = look();
  const { stdout } = await qlaunch('bridge', 'set', 'br0', '--stp', 'on', '--json');
  expect([bridgeFile('stp_state'), bridgeFile('forward_delay')]).toEqual(['1', '400']);
  expect(await qlaunch('bridge', 'set', 'br0', '--delay', '1')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('QL_BRIDGE_DELAY') as string,
  });
  const { change } = JSON.parse(stdout) as { change: string };
  expect(await qlaunch('undo', change)).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
});

test('a port with an address, the loopback, a bridge and a taken port are refused with what to do instead', async () => {
  const { qlaunch } = world();
  cable('nic');
  cable('other');
  ip('address add 192.0.2.9/24 dev nic');
  ip('link add macvlan1 link other type macvlan mode bridge');
  for (const name of ['br0', 'br1']) await qlaunch('bridge', 'create', name);
  const refusal = async (port: string): Promise<string> => {
    const { status, stderr } = await qlaunch('bridge', 'add-port', 'br0', port);
    expect(status).toBe(3);
    return stderr;
  };
  expect(await refusal('nic')).toContain('bridge create NEW --uplink nic');
  expect(await refusal('lo')).toContain('it is the loopback device');
  expect(await refusal('br1')).toContain('--net bridge:br1');
  expect(await refusal('nothing')).toContain('QL_NO_LINK');
  expect(await refusal('other')).toContain('sudo ip link delete dev macvlan1');
  ip('link delete macvlan1');
  ip('link set other master br1');
  expect(await refusal('other')).toContain('it belongs to the bridge br1');
  ip('link set other nomaster');
  for (const name of ['br0', 'br1']) await qlaunch('bridge', 'delete', name);
});

test('a dry run prints what is then run, and changes nothing; mistakes are told all at once', async () => {
  const { qlaunch } = world();
  const before = look();
  const { stdout } = await qlaunch('bridge', 'create', 'br0', '--stp', 'on', '--dry-run');
  expect(stdout).toContain('# make the bridge br0\nip -batch - <<');
  expect(stdout).toContain('stp_state 1 forward_delay 400');
  const wrong = await qlaunch(
    ...[
      'bridge',
      'create',
      'a/b',
      '--stp',
      'maybe',
      '--delay',
      '99',
      '--mtu',
      '1',
      '--address',
      '192.0.2.0/24',
    ],
  );
  expect(wrong.status).toBe(2);
  for (const at of ['NAME', '--stp', '--delay', '--mtu', '--address'])
    expect(wrong.stderr).toContain(`${at}: `);
  expect(differences(before, look())).toEqual([]);
});
