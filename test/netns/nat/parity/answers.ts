/** What guests are told: by DHCP, by the name server, by router advertisements; and what is left when all is stopped. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DhcpAnswer } from './host.ts';
import type { World } from './measure.ts';
import { COLUMNS, type Column, NETWORKS } from './networks.ts';
import type { Side } from './sides.ts';
import type { Answers } from './table.ts';

const addresses = (hex: string): string =>
  (hex.match(/.{8}/g) ?? []).map((one) => [...Buffer.from(one, 'hex')].join('.')).join(' ');
const number = (hex: string): string => `${Number.parseInt(hex, 16)}`;
const text = (hex: string): string => Buffer.from(hex, 'hex').toString();

/** RFC 2132. */
const OPTIONS: Readonly<Record<string, readonly [name: string, show: (hex: string) => string]>> = {
  1: ['mask', addresses],
  3: ['router', addresses],
  6: ['names', addresses],
  12: ['host name', text],
  15: ['domain', text],
  26: ['MTU', number],
  28: ['broadcast', addresses],
  51: ['lease', number],
  54: ['server', addresses],
  58: ['renew', number],
  59: ['rebind', number],
};

function renderLease(lease: DhcpAnswer | undefined): string {
  if (lease === undefined) return 'none';
  if (lease.type === 6) return 'refused';
  const options = Object.entries(lease.options)
    .filter(([code]) => code !== '53')
    .map(([code, hex]) => {
      const [name, show] = OPTIONS[code] ?? [`option ${code}`, (raw: string): string => raw];
      return `${name} ${show(hex)}`;
    });
  return [`address ${lease.address}`, ...options].join(', ');
}

const NAMES: readonly (readonly [column: Column, what: string, kind: string, name: string])[] = [
  ['default', 'the name that a guest has told', 'A', 'g00'],
  ['nat', 'the name that a guest has told', 'A', 'g10'],
  ['nat', 'the same with the domain', 'A', 'g10.nat.test'],
  ['nat', 'a name that a reservation gives', 'A', 'kept.nat.test'],
  ['nat', 'a host of the definition', 'A', 'db'],
  ['nat', 'a TXT record of the definition', 'TXT', 'note'],
  ['nat', 'an unknown name of a domain that is local only', 'A', 'nosuch.nat.test'],
  ['default', 'the name of this host', 'A', 'hypervisor'],
  ['default', 'a name that the host’s name server knows', 'A', 'www.test'],
  ['isolated', 'a name that the host’s name server knows', 'A', 'www.test'],
  ['default', 'an unknown name', 'A', 'nosuch.test'],
  ['default', 'an unknown name without a dot', 'A', 'nosuch'],
  ['default', 'an unknown private address', 'PTR', '10.1.2.3'],
];

export async function measureAnswers({ side, guests }: World): Promise<Answers> {
  const answers: Record<string, string> = {};
  for (const column of ['default', 'nat', 'isolated'] as const)
    answers[`${column}: DHCP`] = renderLease(guests[column][0].lease);
  answers['nat: DHCP, reserved'] = renderLease(guests.nat[1].lease);
  const { mac, agent: second } = guests.default[1];
  const clients = async (): Promise<void> => {
    const before = await second.dhcp({ mac, clientId: '01000000' });
    const after = await second.dhcp({ mac, clientId: '02000000' });
    const isSame = before !== undefined && after?.address === before.address;
    answers['default: a MAC with another client id gets'] = isSame ? 'its address' : 'another address';
    const wrong = await second.dhcp({ mac, request: '10.1.2.3' });
    answers['default: a client that says it has 10.1.2.3 is'] = renderLease(wrong);
  };
  await Promise.all([
    clients(),
    ...NAMES.map(async ([column, what, kind, name]) => {
      const [found = ''] = await guests[column][0].agent.ask(NETWORKS[column].gateway[4], [[kind, name]]);
      answers[`${column}: ${what}`] = found;
    }),
    ...(['default', 'nat'] as const).map(async (column) => {
      const { agent, address } = guests[column][0];
      const gateway = NETWORKS[column].gateway[4];
      const asked = [address[4], gateway].map((one) => ['PTR', one] as const);
      const [own = '', its = ''] = await agent.ask(gateway, asked);
      answers[`${column}: name of a guest’s address`] = own;
      answers[`${column}: name of the gateway’s address`] = its;
    }),
    ...COLUMNS.map(async (column, n) => {
      answers[`${column}: router advertisements tell a guest`] = await advertised(side, `g${n}0`);
    }),
  ]);
  return answers;
}

/** A kernel asks for it three times, every four seconds: when this time is over nothing will come. */
async function advertised({ host }: Side, name: string): Promise<string> {
  const told = async (): Promise<readonly string[]> => {
    const addresses = await host.run(`ip -n ${name} -6 -o address show dev eth0 dynamic scope global`);
    const routes = await host.run(`ip -n ${name} -6 route show default proto ra`);
    return [...(addresses === '' ? [] : ['an address']), ...(routes === '' ? [] : ['a router'])];
  };
  for (let tries = 0; tries < 20 && (await told()).length < 2; tries += 1) await sleep(500);
  return (await told()).join(', ') || 'nothing';
}

export async function stopAll({ side }: World): Promise<Answers> {
  const stp = await side.host.run('cat /sys/class/net/virbr0/bridge/stp_state');
  for (const column of COLUMNS) await side.stop(NETWORKS[column]);
  const forwarding = await side.host.run(
    'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding',
  );
  const rules = await side.host.run('nft list ruleset');
  const links = await side.host.run('ip -o link show type bridge');
  return {
    'all stopped: forwarding of IPv4 and IPv6': forwarding.trim().split('\n').join(' and '),
    'all stopped: rules in nftables': rules === '' ? 'none' : 'chains',
    'default: spanning tree': stp.trim() === '1' ? 'on' : 'off',
    'all stopped: bridges': links === '' ? 'none' : 'some',
  };
}
