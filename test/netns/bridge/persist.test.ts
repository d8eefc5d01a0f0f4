// needs: bridge, veth
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bridgeNow, hostWith } from './managers.ts';
import { cable, ip, NIC } from './outside.ts';

const SCRIPTS = '/etc/sysconfig/network-scripts';
const NETWORKD = '/etc/systemd/network';
const OLD = `DEVICE=${NIC}\nONBOOT=yes\nBOOTPROTO=none\n# Of the rack.\nIPADDR=10.9.0.50\nPREFIX=24\nGATEWAY=10.9.0.1\n`;

test('a bridge with addresses of its own is written with these, and not with what its NIC has in the files', async () => {
  const { qlaunch } = hostWith(undefined, SCRIPTS);
  cable();
  writeFileSync(`${SCRIPTS}/ifcfg-${NIC}`, OLD);
  ip(`address add 10.9.0.50/24 brd + dev ${NIC}`);
  ip(`address add fd09::50/64 dev ${NIC} nodad`);
  ip('route add default via 10.9.0.1');
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--no-confirm', '--address', '10.9.0.77/24'];
  expect(await qlaunch(...create)).toMatchObject({ status: 0 });
  expect((await qlaunch('bridge', 'persist', 'br0', '--persist=none')).stdout).toContain('10.9.0.77/24');
  expect(await qlaunch('bridge', 'persist', 'br0')).toMatchObject({ status: 0 });
  // What the file says of the other family is as it was: nothing.
  const later = readFileSync(`${SCRIPTS}/ifcfg-br0`, 'utf8');
  expect(later).toContain('BOOTPROTO=none\nIPADDR=10.9.0.77\nPREFIX=24\nGATEWAY=10.9.0.1\n');
  expect(later).not.toMatch(/10\.9\.0\.50|fd09/);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readdirSync(SCRIPTS)).toEqual([`ifcfg-${NIC}`]);
  // The same, written with the move.
  expect(await qlaunch(...create, '--persist')).toMatchObject({ status: 0 });
  expect(readFileSync(`${SCRIPTS}/ifcfg-br0`, 'utf8')).toBe(later);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readFileSync(`${SCRIPTS}/ifcfg-${NIC}`, 'utf8')).toBe(OLD);
}, 60_000);

test('a bridge that is there is made at every boot by who has the NIC, or by a script; deleted, all is as before', async () => {
  const { qlaunch } = hostWith(undefined, SCRIPTS, NETWORKD, '/run/systemd');
  cable();
  writeFileSync(`${SCRIPTS}/ifcfg-${NIC}`, OLD);
  ip(`address add 10.9.0.50/24 brd + dev ${NIC}`);
  ip('route add default via 10.9.0.1');
  // As RFC 7217 makes it; the one beside is from the MAC address, and stays.
  const lifetime = 'mngtmpaddr valid_lft 600 preferred_lft 600';
  for (const one of ['fd09::8c1f:22aa:3b4c:5d6e', 'fd09::5054:ff:feaa:bb01'])
    ip(`address add ${one}/64 dev ${NIC} ${lifetime} nodad`);
  const note = `fd09::8c1f:22aa:3b4c:5d6e is made of a secret and of the name ${NIC}: after the next boot br0 has another one`;
  const preview = await qlaunch('bridge', 'create', 'br0', '--uplink', NIC, '--persist', '--dry-run');
  expect(preview.stdout).toContain(`# ${note}`);
  expect(preview.stdout).not.toContain('feaa:bb01 is made');
  expect((await qlaunch('bridge', 'persist', 'br0')).stderr).toContain('there is no bridge br0');
  expect(await qlaunch('bridge', 'create', 'br0', '--uplink', NIC)).toMatchObject({ status: 0 });
  const early = await qlaunch('bridge', 'persist', 'br0');
  expect(early).toMatchObject({ status: 3 });
  expect(early.stderr).toContain('qlaunch bridge confirm br0');
  await qlaunch('bridge', 'confirm');

  const dry = await qlaunch('bridge', 'persist', 'br0', '--dry-run');
  expect(dry.stdout).toContain(
    `# -IPADDR=10.9.0.50\n# -PREFIX=24\n# -GATEWAY=10.9.0.1\n# +#qlaunch# IPADDR=10.9.0.50\n`,
  );
  expect(dry.stdout).toContain(`# --- /dev/null\n# +++ ${SCRIPTS}/ifcfg-br0\n# +# qlaunch: the bridge br0.`);
  expect(readdirSync(SCRIPTS)).toEqual([`ifcfg-${NIC}`]);

  // Whoever else would have it at boot is found, and named.
  mkdirSync('/run/systemd/netif/links', { recursive: true });
  writeFileSync(`${NETWORKD}/20-all.network`, '[Match]\nType=ether\n[Network]\nDHCP=yes\n');
  const two = await qlaunch('bridge', 'persist', 'br0');
  expect(two).toMatchObject({ status: 3 });
  expect(two.stderr).toContain(`systemd-networkd has ${NIC} by ${NETWORKD}/20-all.network`);
  expect(two.stderr).toContain(`${SCRIPTS}/ifcfg-${NIC} is for ${NIC}`);
  expect(two.stderr).toContain('--persist=ifcfg');
  expect((await qlaunch('bridge', 'persist', 'br0', '--persist=ifcfg', '--physdev')).stderr).toContain(
    'ifcfg has no place for the rule',
  );
  // One that has it now is not passed over.
  const index = readFileSync(`/sys/class/net/${NIC}/ifindex`, 'utf8').trim();
  const state = `/run/systemd/netif/links/${index}`;
  writeFileSync(state, `ADMIN_STATE=configured\nNETWORK_FILE=${NETWORKD}/20-all.network\n`);
  const other = await qlaunch('bridge', 'persist', 'br0', '--persist=ifcfg');
  expect(other).toMatchObject({ status: 3 });
  expect(other.stderr).toContain(`another network manager has ${NIC} now: systemd-networkd has ${NIC}`);
  expect(readdirSync(SCRIPTS)).toEqual([`ifcfg-${NIC}`]);
  rmSync(state);
  rmSync(`${NETWORKD}/20-all.network`);

  const kept = await qlaunch('bridge', 'persist', 'br0');
  expect(kept).toMatchObject({ status: 0 });
  expect(kept.stderr).toContain('br0 is made at every boot, by ifcfg');
  expect(kept.stderr).toContain('sudo systemctl restart network');
  expect(kept.stderr).toContain(`  note   ${note}`);
  expect(readdirSync(SCRIPTS)).toEqual(['ifcfg-br0', `ifcfg-${NIC}`]);
  expect((await qlaunch('bridge', 'persist', 'br0')).stderr).toContain(
    `${SCRIPTS}/ifcfg-br0 is about br0 already`,
  );

  // By ip alone: what the script makes of nothing is the same.
  for (const one of ['fd09::8c1f:22aa:3b4c:5d6e', 'fd09::5054:ff:feaa:bb01'])
    ip(`address del ${one}/64 dev br0`);
  const now = bridgeNow();
  const { stdout: script } = await qlaunch('bridge', 'persist', 'br0', '--persist=none');
  const journals = (await qlaunch('changes', '--json')).stdout;
  ip('link delete br0');
  ip(`address flush dev ${NIC}`);
  execFileSync('sh', ['-ec', script]);
  expect(bridgeNow()).toEqual(now);
  expect((await qlaunch('changes', '--json')).stdout).toBe(journals);

  await qlaunch('bridge', 'delete', 'br0');
  expect(readdirSync(SCRIPTS)).toEqual([`ifcfg-${NIC}`]);
  expect(readFileSync(`${SCRIPTS}/ifcfg-${NIC}`, 'utf8')).toBe(OLD);
}, 60_000);
