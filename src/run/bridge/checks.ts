/** What is looked at before a NIC in use becomes a port: who would lose it, and who would fight over it. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { linkTo } from '../../host/bridge/reach.ts';
import { sshSession } from '../../host/bridge/session.ts';
import { dhcpcdManager, processesNaming } from '../../host/bridge/users.ts';
import { readWall } from '../../host/bridge/wall.ts';
import type { Machine } from '../../host/port.ts';
import type { Layer3 } from '../../plan/bridge/layer3.ts';
import type { Readdress } from '../../plan/bridge/readdress.ts';
import type { UplinkFacts } from '../../plan/bridge/uplink.ts';
import { rulesNaming } from '../../plan/bridge/wall.ts';
import type { LinkFact } from '../../plan/facts.ts';
import { shellWord } from '../../plan/shell.ts';
import type { Objection } from './handover/holder.ts';

/**
 * Throws QL_UPLINK_BUSY (exit 3) with all that speaks against it, before anything is touched.
 * @param held of a network manager that has it
 */
export async function refuseBusy(
  machine: Machine,
  nic: LinkFact,
  facts: UplinkFacts,
  { name: bridge, force }: { readonly name: string; readonly force: boolean },
  held: readonly Objection[],
): Promise<void> {
  const handedOver = new Set(facts.clients.map(({ pid }) => pid));
  const found = [...held, ...programs(nic.ifname, handedOver)];
  const risky = force
    ? []
    : [...(await rootOver(machine, nic.ifname)), ...(await firewallNames(machine, nic.ifname, bridge))];
  const all = [...found, ...risky];
  if (all.length === 0) return;
  throw new QlaunchError('QL_UPLINK_BUSY', EXIT.refused, {
    what: `will not make ${nic.ifname} a port of a bridge`,
    why: all.map(({ why }) => why),
    todo: [...new Set(all.map(({ todo }) => todo))],
  });
}

const KNOWN: Readonly<Record<string, string>> = {
  dhclient: 'asks for its address by DHCP',
  dhcpcd: 'asks for its address by DHCP',
  udhcpc: 'asks for its address by DHCP',
  pump: 'asks for its address by DHCP',
  wpa_supplicant: 'logs it in to the switch (802.1X)',
  pppd: 'dials over it (PPPoE)',
  pppoe: 'dials over it (PPPoE)',
};

function programs(nic: string, handedOver: ReadonlySet<number>): readonly Objection[] {
  return [...forAllLinks(nic), ...forLink(nic, handedOver)];
}

function forAllLinks(nic: string): readonly Objection[] {
  const one = dhcpcdManager();
  if (one === undefined) return [];
  return [
    {
      why: `dhcpcd (pid ${one.pid}) has all links of this host, and would ask on the port as well as on the bridge`,
      todo: `sudo dhcpcd -x -p && sudo dhcpcd -b ${shellWord(nic)}   # keeps all addresses; then one for ${nic}, which is handed over`,
    },
  ];
}

function forLink(nic: string, handedOver: ReadonlySet<number>): readonly Objection[] {
  return processesNaming(nic).flatMap(({ pid, program, argv }) => {
    const what = KNOWN[program];
    // NetworkManager's own, with `dhcp=dhclient`: it ends it, and starts one on the bridge.
    const isManagers = argv.some((word) => word.endsWith('/nm-dhcp-helper'));
    if (what === undefined || isManagers || handedOver.has(pid)) return [];
    return [
      {
        why: `${program} (pid ${pid}) ${what}, and would go on doing so on the port`,
        todo: `sudo kill ${pid}   # its address stays until the lease ends; then the same command again`,
      },
    ];
  });
}

/** When the way to the root file system is lost, nothing can put it back. */
async function rootOver(machine: Machine, nic: string): Promise<readonly Objection[]> {
  const mounts = ((await machine.read('/proc/self/mounts')) ?? '').split('\n').map((line) => line.split(' '));
  const found: Objection[] = [];
  for (const [, at, type = '', options = ''] of mounts) {
    const server = /(?:^|,)addr=([^,]+)/.exec(options)?.[1];
    if (!type.startsWith('nfs') || server === undefined || (at !== '/' && at !== '/usr')) continue;
    if ((await linkTo(machine, server)) === nic)
      found.push({
        why: `${at} is mounted from ${server} over ${nic}: if the move failed, nothing could be read to put it back`,
        todo: 'the same command with --force, at the console',
      });
  }
  for (const target of await iscsiTargets(machine))
    if (target === undefined || (await linkTo(machine, target)) === nic)
      found.push({
        why: `this host has an iSCSI disk ${target === undefined ? 'that may be reached' : `of ${target}`} over ${nic}`,
        todo: 'the same command with --force, at the console',
      });
  return found;
}

/** The servers of iSCSI disks; undefined for one that says nothing (linux/drivers/scsi/scsi_transport_iscsi.c). */
async function iscsiTargets(machine: Machine): Promise<readonly (string | undefined)[]> {
  const at = '/sys/class/iscsi_connection';
  const connections = (await machine.list(at)) ?? [];
  const sessions = (await machine.list('/sys/class/iscsi_session')) ?? [];
  if (connections.length === 0) return sessions.length === 0 ? [] : [undefined];
  return Promise.all(
    connections.map(async (name) => (await machine.read(`${at}/${name}/persistent_address`))?.trim()),
  );
}

/** firewalld writes its own rules; what a chain is called there says for which zone. */
function zoneCure(table: string, rule: string, bridge: string): string | undefined {
  const zone = /\b(?:goto|jump) \w+?_(?:IN|OUT|FWD[IO]?|PRE|POST|FWD)_(\S+)/.exec(rule)?.[1];
  if (table !== 'firewalld' || zone === undefined) return undefined;
  return `sudo firewall-cmd --zone=${zone} --add-interface=${bridge}   # then the same command again`;
}

/** A rule that lets ssh in by the NIC lets nothing in by the bridge: the host would be there, and out of reach. */
async function firewallNames(machine: Machine, nic: string, bridge: string): Promise<readonly Objection[]> {
  const found = rulesNaming(await readWall(machine), nic, bridge);
  return found.map(({ family, table, chain, rule, cure }) => ({
    why: `the firewall has a rule for ${nic} (${family} ${table} ${chain}: ${rule}), and what comes in then comes in by ${bridge}`,
    todo: zoneCure(table, rule, bridge) ?? `${cure}   # or --force`,
  }));
}

/**
 * Other addresses cut off whoever is logged in over an old one. Throws QL_CUTS_OFF (exit 3).
 * @param now what the bridge will have
 */
export function refuseCutOff(
  { name, uplink, readdress }: { name: string; uplink: string; readdress?: Readdress },
  before: Layer3,
  now: Layer3,
): void {
  const session = sshSession();
  const has = ({ addresses }: Layer3): boolean => addresses.some(({ local }) => local === session?.own);
  if (session === undefined || !has(before) || has(now)) return;
  const old = before.addresses.find(({ local }) => local === session.own);
  throw new QlaunchError('QL_CUTS_OFF', EXIT.refused, {
    what: `will not give ${name} other addresses than ${uplink} has`,
    why: [
      `your session (${session.peer}) is with ${session.own}, which ${name} ${readdress?.dhcp === true ? 'may not get' : 'would not have'}`,
    ],
    todo: [
      'the same command with --keep',
      ...(readdress?.dhcp === true ? [] : [`… --address ${session.own}/${old?.prefixlen}`]),
      'the same command with --force: log in anew and confirm in time, or all is put back',
    ],
  });
}
