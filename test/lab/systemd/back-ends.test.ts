// lab: systemd
/** The network managers as Debian starts them at boot: each makes the bridge that it was told of, and the old state when it is deleted. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boot, gatewayOf, type Machine, macOf, type Nic, type SeedFile } from './machine.ts';

interface Held extends Nic {
  readonly by: string;
  readonly bridge: string;
  readonly seed: readonly SeedFile[];
}

const HELD: readonly Held[] = [
  {
    ...{ by: 'ifupdown', bridge: 'br5', slot: 5, model: 'e1000e' },
    seed: [
      {
        path: '/etc/network/interfaces',
        content:
          'auto lo\niface lo inet loopback\n\n# The office LAN.\nauto enp0s5\niface enp0s5 inet dhcp\n',
      },
    ],
  },
];

const MINUTES = 60_000;
let machine: Machine;

beforeAll(async () => {
  machine = await boot(
    HELD,
    HELD.flatMap(({ seed }) => seed),
  );
}, 10 * MINUTES);
afterAll(() => machine.end());

const nameOf = ({ slot }: Nic): string => `enp0s${slot}`;

interface Link {
  readonly mac: string;
  readonly addresses: readonly string[];
  /** "10.9.5.1 100": gateway and metric. */
  readonly defaults: readonly string[];
  readonly master: string | undefined;
}

/** Waits until that link has an address of the DHCP server. */
async function linkNow(name: string): Promise<Link> {
  await machine.sh(
    `while (( SECONDS < 150 )); do ip -4 -o address show dev ${name} scope global 2>/dev/null | grep -q . && exit; sleep 0.5; done
     ip address; networkctl; systemctl --failed; exit 1`,
  );
  return look(name);
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

/** From both ends of the cable. */
async function speaks(nic: Nic, link: string, { addresses }: Link): Promise<void> {
  await machine.sh(`ping -q -c 1 -W 10 -I ${link} ${gatewayOf(nic)}`);
  execFileSync('ping', ['-q', '-c', '1', '-W', '10', addresses[0]?.split('/')[0] ?? '']);
}

const before = new Map<string, Link>();

test(
  'at boot each has its NIC; a bridge over it is confirmed',
  async () => {
    for (const nic of HELD) {
      const name = nameOf(nic);
      const old = await linkNow(name);
      expect(old).toMatchObject({
        mac: macOf(nic),
        defaults: [expect.stringContaining(gatewayOf(nic)) as string],
      });
      before.set(name, old);
      const made = await machine.sh(
        `qlaunch bridge create ${nic.bridge} --uplink ${name} --persist --confirm 300s --json`,
      );
      expect(JSON.parse(made)).toMatchObject({ confirmWithinS: 300, gateways: [gatewayOf(nic)] });
      expect(await machine.run(`qlaunch bridge confirm ${nic.bridge}`)).toMatchObject({ status: 0 });
      expect(await look(nic.bridge)).toEqual(old);
      await speaks(nic, nic.bridge, old);
    }
  },
  10 * MINUTES,
);

test(
  'after a reboot each manager has made its bridge, with the same address from the same server',
  async () => {
    await machine.reboot();
    for (const nic of HELD) {
      const now = await linkNow(nic.bridge);
      expect(now).toEqual(before.get(nameOf(nic)));
      expect(await look(nameOf(nic))).toMatchObject({ master: nic.bridge, addresses: [], defaults: [] });
      await speaks(nic, nic.bridge, now);
    }
  },
  10 * MINUTES,
);

test(
  'deleted, and after a power cut: exactly the old state',
  async () => {
    for (const { bridge } of HELD)
      expect(await machine.run(`qlaunch bridge delete ${bridge}`)).toMatchObject({ status: 0 });
    await machine.cutPower();
    for (const nic of HELD) {
      const now = await linkNow(nameOf(nic));
      expect(now).toEqual(before.get(nameOf(nic)));
      await speaks(nic, nameOf(nic), now);
      for (const { path, content } of nic.seed)
        expect(await machine.sh(`cat ${path}; echo x`)).toBe(`${content}x`);
    }
    expect(await machine.sh('ip -o link show type bridge')).toBe('');
  },
  10 * MINUTES,
);
