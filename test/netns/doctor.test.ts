// needs: bridge, tap, br_netfilter, nft_inet
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FindingState } from '../../src/plan/doctor/finding.ts';
import { differences, snapshot } from '../snapshot.ts';
import { world } from '../tiers/cli.ts';

const sh = (command: string): void => void execFileSync('sh', ['-ec', command]);

beforeEach(() => {
  sh('mkdir -p /etc/qemu; echo allow docbr > /etc/qemu/bridge.conf');
  sh('ip link add docbr type bridge forward_delay 0; ip link set docbr up');
  sh('for n in 0 1; do ip tuntap add dev doctap$n mode tap; ip link set doctap$n master docbr up; done');
});

afterEach(() => {
  sh('nft flush ruleset; ip link delete doctap0; ip link delete doctap1; ip link delete docbr');
});

interface Row {
  readonly id: string;
  readonly about?: string;
  readonly state: FindingState;
  readonly fact: string;
  readonly looks_at: string;
  readonly cure?: readonly string[];
}

interface Told {
  readonly status: number | undefined;
  readonly ok: boolean;
  readonly findings: readonly Row[];
  readonly fixed: readonly { readonly id: string; readonly change: string }[];
}

type World = ReturnType<typeof world>;

async function doctor(w: World, ...args: readonly string[]): Promise<Told> {
  const { status, stdout } = await w.qlaunch('doctor', '--json', ...args);
  return { status, ...(JSON.parse(stdout) as Omit<Told, 'status'>) };
}

const row = ({ findings }: Told, id: string): Row | undefined => findings.find((one) => one.id === id);

test('every check has something to say, and a host that is well ends with 0', async () => {
  const told = await doctor(world());
  for (const id of [
    'qemu',
    'kvm',
    'helper-found',
    'acl-allows',
    'tun-driver',
    'tun-device',
    'vhost-net',
    'bridge',
    'bridge-filter',
    'mac',
  ])
    expect(row(told, id)?.fact).toMatch(/\S/);
  expect(row(told, 'tun-device')).toMatchObject({ state: 'ok', looks_at: 'the tun driver and /dev/net/tun' });
  expect(row(told, 'bridge')).toMatchObject({ about: 'docbr', state: 'ok' });
  expect(told.findings.filter(({ state }) => state === 'problem')).toEqual([]);
  expect([told.ok, told.status]).toEqual([true, 0]);
});

test('FORWARD drops what crosses the bridge: status 3, and the cure works as it is written', async () => {
  const w = world();
  sh('sysctl -q net.bridge.bridge-nf-call-iptables=1');
  sh(
    "nft add table ip filter; nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'",
  );
  const told = await doctor(w);
  const found = row(told, 'bridge-filter');
  expect(found).toMatchObject({ about: 'docbr in ip filter', state: 'problem' });
  expect([told.ok, told.status]).toEqual([false, 3]);
  sh(found?.cure?.[0]?.replace(/^sudo /, '') ?? 'exit 1');
  expect(row(await doctor(w), 'bridge-filter')).toMatchObject({ about: 'docbr', state: 'ok' });
});

test('a bridge that is down: --dry-run tells, --fix sets it up, undo takes that back', async () => {
  const w = world();
  sh('ip link set docbr down');
  const before = snapshot();
  const dry = await w.qlaunch('doctor', 'bridge', '--fix', '--dry-run');
  expect(dry).toMatchObject({ status: 0, stdout: '# set docbr up\nip link set dev docbr up' });
  expect(differences(before, snapshot())).toEqual([]);

  const told = await doctor(w, 'bridge', '--fix');
  expect(told.fixed).toMatchObject([{ id: 'bridge', about: 'docbr' }]);
  expect(row(told, 'bridge')).toMatchObject({ about: 'docbr', state: 'ok' });
  const open = await w.qlaunch('changes');
  expect(open.stdout).toContain('doctor: bridge docbr');
  expect(await w.qlaunch('undo', told.fixed[0]?.change ?? '')).toMatchObject({ status: 0 });
  expect(row(await doctor(w), 'bridge')).toMatchObject({ about: 'docbr', state: 'warning' });
});

test('a list that does not name the bridge is found, and cured', async () => {
  const w = world();
  sh('echo "allow other" > /etc/qemu/bridge.conf');
  const told = await doctor(w, 'bridge-helper');
  expect(row(told, 'acl-allows')).toMatchObject({ state: 'problem' });
  expect(told.status).toBe(3);
  const after = await doctor(w, 'bridge-helper', '--fix');
  expect(row(after, 'acl-allows')).toMatchObject({ state: 'ok' });
  expect([after.fixed.map(({ id }) => id), after.status]).toEqual([['acl-allows'], 0]);
  expect(await w.qlaunch('acl', 'check', 'docbr')).toMatchObject({ status: 0 });
});

test('--dry-run alone is a mistake, and so is a check that is not there', async () => {
  expect(await world().qlaunch('doctor', '--dry-run')).toMatchObject({ status: 2 });
  expect(await world().qlaunch('doctor', 'brige')).toMatchObject({ status: 2 });
});
