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

interface Row {
  readonly ifname: string;
  readonly address: string;
  readonly master?: string;
  readonly addr_info: readonly { local: string; prefixlen: number; scope: string; family: string }[];
}

/** All links, as soon as each of these has an address and a way out. */
async function links(waitFor: readonly string[]): Promise<Readonly<Record<string, Link>>> {
  const [addresses = '', routes = ''] = (
    await machine.sh(
      `for link in ${waitFor.join(' ')}; do
         until ip -4 route show default dev $link 2>/dev/null | grep -q .; do
           (( SECONDS < 200 )) || { ip address; networkctl; nmcli device; systemctl --failed; exit 1; }
           sleep 0.5
         done
       done
       ip -j address show; echo; ip -j -4 route show default`,
    )
  ).split(/\n+/);
  const ways = JSON.parse(routes) as { gateway: string; dev: string; metric?: number }[];
  return Object.fromEntries(
    (JSON.parse(addresses) as Row[]).map(({ ifname, address, master, addr_info }): [string, Link] => [
      ifname,
      {
        mac: address,
        addresses: addr_info
          .filter(({ family, scope }) => family === 'inet' && scope === 'global')
          .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
        defaults: ways
          .filter(({ dev }) => dev === ifname)
          .map(({ gateway, metric = 0 }) => `${gateway} ${metric}`),
        master,
      },
    ]),
  );
}

/** From both ends of each cable. */
async function speak(over: ReadonlyMap<string, Nic>, all: Readonly<Record<string, Link>>): Promise<void> {
  const pings = [...over].map(([link, nic]) => `ping -q -c 1 -w 60 -I ${link} ${gatewayOf(nic)}`);
  await machine.sh(pings.join(' && '));
  for (const link of over.keys())
    execFileSync('ping', ['-q', '-c', '1', '-w', '60', all[link]?.addresses[0]?.split('/')[0] ?? '']);
}

const ALL: readonly Nic[] = [...HELD, ON_TRIAL];
const TRIED = nameOf(ON_TRIAL);
/** What each NIC had at first. */
let before: Readonly<Record<string, Link>> = {};

async function expectOld(nics: readonly Nic[]): Promise<void> {
  const now = await links(nics.map(nameOf));
  for (const nic of nics) expect([nic, now[nameOf(nic)]]).toEqual([nic, before[nameOf(nic)]]);
  await speak(new Map(nics.map((nic) => [nameOf(nic), nic])), now);
}

test(
  'each has its NIC; a session is killed before it confirms, and the watcher is none of its processes',
  async () => {
    before = await links(ALL.map(nameOf));
    for (const nic of ALL)
      expect(before[nameOf(nic)]).toMatchObject({
        mac: macOf(nic),
        addresses: [expect.stringContaining(`10.9.${nic.slot}.1`) as string],
        defaults: [expect.stringContaining(gatewayOf(nic)) as string],
      });
    const { bridge } = ON_TRIAL;
    await machine.sh(
      `systemd-run --quiet --unit=session bash -c '
       qlaunch bridge create ${bridge} --uplink ${TRIED} --confirm 120s 2>/run/said; echo $? >/run/status; sleep 1000'
     until [ -s /run/status ]; do sleep 0.2; done
     cat /run/said; exit $(</run/status)`,
    );
    expect((await links([bridge]))[bridge]).toEqual(before[TRIED]);
    const watchers = await machine.sh(
      `systemctl kill --signal=KILL session
     while systemctl is-active --quiet session; do sleep 0.2; done
     systemctl list-units --plain --no-legend 'qlaunch-confirm-*.service'`,
    );
    expect(watchers).toContain('active running');
  },
  10 * MINUTES,
);

test(
  'a bridge over each is confirmed, under a manager that goes on; the killed one is taken back meanwhile',
  async () => {
    for (const nic of HELD) {
      const made = await machine.sh(
        `qlaunch bridge create ${nic.bridge} --uplink ${nameOf(nic)} --persist=${nic.by} --confirm 300s --json`,
      );
      expect(JSON.parse(made)).toMatchObject({ confirmWithinS: 300, gateways: [gatewayOf(nic)] });
      await machine.sh(`qlaunch bridge confirm ${nic.bridge}`);
    }
    const now = await links(HELD.map(({ bridge }) => bridge));
    for (const nic of HELD) expect([nic, now[nic.bridge]]).toEqual([nic, before[nameOf(nic)]]);
    await speak(new Map(HELD.map((nic) => [nic.bridge, nic])), now);
    await expectOld([ON_TRIAL]);
    await machine.sh(`[ ! -e /sys/class/net/${ON_TRIAL.bridge} ]`);
  },
  10 * MINUTES,
);

test(
  'after a reboot each manager has made its bridge, with the same address from the same server; what was not confirmed is not there',
  async () => {
    await machine.sh(`qlaunch bridge create ${ON_TRIAL.bridge} --uplink ${TRIED} --persist --confirm 600s`);
    await machine.reboot();
    const now = await links(HELD.map(({ bridge }) => bridge));
    for (const nic of HELD) {
      expect([nic, now[nic.bridge]]).toEqual([nic, before[nameOf(nic)]]);
      expect(now[nameOf(nic)]).toMatchObject({ master: nic.bridge, addresses: [], defaults: [] });
    }
    await speak(new Map(HELD.map((nic) => [nic.bridge, nic])), now);
    await expectOld([ON_TRIAL]);
    await machine.sh(`[ ! -e /sys/class/net/${ON_TRIAL.bridge} ]`);
  },
  10 * MINUTES,
);

test(
  'deleted, and after a power cut: exactly the old state',
  async () => {
    await machine.sh(HELD.map(({ bridge }) => `qlaunch bridge delete ${bridge}`).join(' && '));
    await machine.cutPower();
    await expectOld(ALL);
    for (const { path, content } of HELD.flatMap(({ seed }) => seed))
      expect(await machine.sh(`cat ${path}; echo x`)).toBe(`${content}x`);
    expect(await machine.sh('ip -o link show type bridge')).toBe('');
    expect(JSON.parse(await machine.sh('qlaunch changes --json'))).toEqual([]);
  },
  10 * MINUTES,
);
