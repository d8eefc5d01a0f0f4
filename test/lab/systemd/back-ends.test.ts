// lab: systemd
/** The network managers as Debian starts them at boot: each makes the bridge that it was told of, and the old state when it is deleted. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boot, gatewayOf, type Machine, macOf, type Nic } from './machine.ts';
import { HELD, nameOf, ON_TRIAL } from './nics.ts';

const MINUTES = 60_000;
let machine: Machine;

beforeAll(async () => {
  machine = await boot(
    [...HELD, ON_TRIAL],
    HELD.flatMap(({ seed }) => seed),
  );
}, 10 * MINUTES);
afterAll(() => machine.end());

interface Link {
  readonly mac: string;
  readonly addresses: readonly string[];
  /** "10.9.5.1 100": gateway and metric. */
  readonly defaults: readonly string[];
  readonly master: string | undefined;
}

async function look(name: string): Promise<Link> {
  const out = await machine.sh(
    `ip -j address show dev ${name}; echo; ip -j -4 route show default dev ${name}`,
  );
  const [links = '[]', routes = '[]'] = out.split(/\n+/);
  const [link = {}] = JSON.parse(links) as {
    address?: string;
    master?: string;
    addr_info?: { local: string; prefixlen: number; scope: string; family: string }[];
  }[];
  const v4 = (link.addr_info ?? []).filter(({ family, scope }) => family === 'inet' && scope === 'global');
  return {
    mac: link.address ?? '',
    addresses: v4.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    defaults: (JSON.parse(routes || '[]') as { gateway: string; metric?: number }[]).map(
      ({ gateway, metric = 0 }) => `${gateway} ${metric}`,
    ),
    master: link.master,
  };
}

/** Waits until that link has an address and a way out. */
async function linkNow(name: string): Promise<Link> {
  await machine.sh(
    `while (( SECONDS < 300 )); do ip -4 route show default dev ${name} 2>/dev/null | grep -q . && exit; sleep 0.5; done
     ip address; networkctl; nmcli device; systemctl --failed; exit 1`,
  );
  return look(name);
}

/** From both ends of the cable. */
async function speaks(nic: Nic, link: string, { addresses }: Link): Promise<void> {
  await machine.sh(`ping -q -c 1 -W 10 -I ${link} ${gatewayOf(nic)}`);
  execFileSync('ping', ['-q', '-c', '1', '-W', '10', addresses[0]?.split('/')[0] ?? '']);
}

/** What each NIC had at first. */
const before = new Map<string, Link>();

async function isOld(nic: Nic): Promise<void> {
  const now = await linkNow(nameOf(nic));
  expect(now).toEqual(before.get(nameOf(nic)));
  await speaks(nic, nameOf(nic), now);
}

test(
  'each has its NIC; a session is killed before it confirms, and the watcher is none of its processes',
  async () => {
    for (const nic of [...HELD, ON_TRIAL]) {
      const old = await linkNow(nameOf(nic));
      expect(old).toMatchObject({
        mac: macOf(nic),
        defaults: [expect.stringContaining(gatewayOf(nic)) as string],
      });
      before.set(nameOf(nic), old);
    }
    const { bridge } = ON_TRIAL;
    const line = `qlaunch bridge create ${bridge} --uplink ${nameOf(ON_TRIAL)} --confirm 120s`;
    await machine.sh(
      `systemd-run --quiet --unit=session bash -c '${line} 2>/run/said; echo $? >/run/status; sleep 1000'
       until [ -s /run/status ]; do sleep 0.2; done
       cat /run/said; exit $(</run/status)`,
    );
    expect(await look(bridge)).toEqual(before.get(nameOf(ON_TRIAL)));
    await machine.sh('systemctl kill --signal=KILL session');
    expect(
      await machine.sh('systemctl list-units --plain --no-legend "qlaunch-confirm-*.service"; echo'),
    ).toContain('running');
  },
  10 * MINUTES,
);

test(
  'a bridge over each is confirmed; the killed one is taken back meanwhile',
  async () => {
    await machine.sh('nmcli device set enp0s6 managed no');
    for (const nic of HELD) {
      const old = await look(nameOf(nic));
      expect(old).toEqual(before.get(nameOf(nic)));
      const made = await machine.sh(
        `qlaunch bridge create ${nic.bridge} --uplink ${nameOf(nic)} --persist=${nic.by} --confirm 300s --json`,
      );
      expect(JSON.parse(made)).toMatchObject({ confirmWithinS: 300, gateways: [gatewayOf(nic)] });
      await machine.sh(`qlaunch bridge confirm ${nic.bridge}`);
      expect(await look(nic.bridge)).toEqual(old);
      await speaks(nic, nic.bridge, old);
    }
    await isOld(ON_TRIAL);
  },
  10 * MINUTES,
);

test(
  'after a reboot each manager has made its bridge, with the same address from the same server; what was not confirmed is not there',
  async () => {
    await machine.sh(
      `qlaunch bridge create ${ON_TRIAL.bridge} --uplink ${nameOf(ON_TRIAL)} --persist --confirm 600s`,
    );
    await machine.reboot();
    for (const nic of HELD) {
      const now = await linkNow(nic.bridge);
      expect(now).toEqual(before.get(nameOf(nic)));
      expect(await look(nameOf(nic))).toMatchObject({ master: nic.bridge, addresses: [], defaults: [] });
      await speaks(nic, nic.bridge, now);
    }
    await isOld(ON_TRIAL);
  },
  10 * MINUTES,
);

test(
  'deleted, and after a power cut: exactly the old state',
  async () => {
    for (const { bridge } of HELD) await machine.sh(`qlaunch bridge delete ${bridge}`);
    await machine.cutPower();
    for (const nic of HELD) {
      await isOld(nic);
      for (const { path, content } of nic.seed)
        expect(await machine.sh(`cat ${path}; echo x`)).toBe(`${content}x`);
    }
    expect(await machine.sh('ip -o link show type bridge')).toBe('');
  },
  10 * MINUTES,
);
