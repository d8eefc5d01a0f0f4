/** What libvirt's networks and ours do alike, and where they differ and why. parity.test.ts measures it; the README has it. */
import { COLUMNS } from './networks.ts';

/** By what is tried, one value for each of COLUMNS. */
export type Ways = Readonly<Record<string, readonly string[]>>;

/** libvirt's, and ours where nothing else is said below. `yes`: ICMP, TCP and UDP on all ports that were tried. */
const WAYS: Ways = {
  'guest of default → guest': [
    'yes',
    'IPv4: refused; IPv6: no way',
    'IPv4: yes; IPv6: no way',
    'IPv4: refused; IPv6: no way',
    'IPv4: yes; IPv6: no way',
  ],
  'guest of nat → guest': ['refused', 'yes', 'yes', 'refused', 'yes'],
  'guest of route → guest': ['refused', 'refused', 'yes', 'refused', 'yes'],
  'guest of isolated → guest': ['refused', 'refused', 'silence', 'yes', 'refused'],
  'guest of open → guest': ['refused', 'refused', 'yes', 'refused', 'yes'],
  'internet → guest': ['refused', 'refused', 'yes', 'refused', 'yes'],
  'this host → guest': ['yes', 'yes', 'yes', 'yes', 'yes'],
  'guest → internet': ['IPv4: yes; IPv6: no way', 'yes', 'yes', 'refused', 'yes'],
  'guest → its gateway': ['yes', 'yes', 'yes', 'yes', 'yes'],
  'guest → another address of this host': ['IPv4: yes; IPv6: no way', 'yes', 'yes', 'yes', 'yes'],
  'internet → name server of the network': ['no answer', 'no answer', 'no answer', 'no answer', 'no answer'],
  'guest → internet, from an address that is not of its network': [
    'stays here',
    'stays here',
    'stays here',
    'stays here',
    'arrives',
  ],
  'guest → internet is seen there as': [
    'this host, port ≥ 1024',
    'this host, port ≥ 1024',
    'itself, port 999',
    'nobody',
    'itself, port 999',
  ],
};

/** By what is asked. */
export type Answers = Readonly<Record<string, string>>;

/** libvirt's, and ours where nothing else is said below; EREFUSED and ENOTFOUND are errors of DNS. */
const ANSWERS: Answers = {
  'default: DHCP':
    'address 192.168.122.237, mask 255.255.255.0, router 192.168.122.1, names 192.168.122.1, host name g00, broadcast 192.168.122.255, lease 3600, server 192.168.122.1, renew 1800, rebind 3150',
  'nat: DHCP':
    'address 10.98.1.16, mask 255.255.255.0, router 10.98.1.1, names 10.98.1.1, host name g10, domain nat.test, MTU 1400, broadcast 10.98.1.255, lease 3600, server 10.98.1.1, renew 1800, rebind 3150',
  'nat: DHCP, reserved':
    'address 10.98.1.50, mask 255.255.255.0, router 10.98.1.1, names 10.98.1.1, host name kept, domain nat.test, MTU 1400, broadcast 10.98.1.255, lease 3600, server 10.98.1.1, renew 1800, rebind 3150',
  'isolated: DHCP':
    'address 10.98.3.75, mask 255.255.255.0, names 10.98.3.1, host name g30, broadcast 10.98.3.255, lease 3600, server 10.98.3.1, renew 1800, rebind 3150',
  'default: a MAC with another client id gets': 'another address',
  'default: a client that says it has 10.1.2.3 is': 'refused',
  'default: the name that a guest has told': '192.168.122.237',
  'default: name of a guest’s address': 'g00',
  'default: name of the gateway’s address': 'ENOTFOUND',
  'default: the name of this host': '127.0.1.1',
  'default: a name that the host’s name server knows': '198.51.100.9',
  'default: an unknown name': 'ENOTFOUND',
  'default: an unknown name without a dot': 'ENOTFOUND',
  'default: an unknown private address': 'ENOTFOUND',
  'nat: the name that a guest has told': '10.98.1.16',
  'nat: the same with the domain': '10.98.1.16',
  'nat: name of a guest’s address': 'g10.nat.test',
  'nat: name of the gateway’s address': 'ENOTFOUND',
  'nat: a name that a reservation gives': '10.98.1.50',
  'nat: a host of the definition': '10.98.1.77',
  'nat: a TXT record of the definition': '["hello"]',
  'nat: an unknown name of a domain that is local only': 'ENOTFOUND',
  'isolated: a name that the host’s name server knows': 'EREFUSED',
  'default: router advertisements tell a guest': 'nothing',
  'nat: router advertisements tell a guest': 'a router',
  'route: router advertisements tell a guest': 'an address, a router',
  'isolated: router advertisements tell a guest': 'an address',
  'open: router advertisements tell a guest': 'an address, a router',
  'default: spanning tree': 'on',
  'all stopped: bridges': 'none',
  'all stopped: forwarding of IPv4 and IPv6': '1 and 1',
  'all stopped: rules in nftables': 'chains',
};

interface Difference {
  readonly what: string;
  readonly libvirt: string;
  readonly qlaunch: string;
  readonly why: string;
  /** Our answers; of a row of WAYS "ROW | COLUMN". */
  readonly ours: Readonly<Record<string, string>>;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'IPv6 on `default`',
    libvirt: 'none',
    qlaunch: 'a prefix of this host’s own, NATed',
    why: 'guests reach the internet by both, with nothing to set up',
    ours: {
      'guest of default → guest | nat': 'refused',
      'guest of default → guest | route': 'yes',
      'guest of default → guest | isolated': 'refused',
      'guest of default → guest | open': 'yes',
      'guest → internet | default': 'yes',
      'guest → another address of this host | default': 'yes',
      'default: router advertisements tell a guest': 'an address, a router',
    },
  },
  {
    what: 'a guest of an isolated network sends to one of a routed network',
    libvirt: 'arrives; only the answer is refused',
    qlaunch: 'refused',
    why: 'each network of ours has the last word on what leaves it',
    ours: { 'guest of isolated → guest | route': 'refused' },
  },
  {
    what: 'spanning tree on `default`',
    libvirt: 'on',
    qlaunch: 'off',
    why: 'it keeps a new guest silent for four seconds',
    ours: { 'default: spanning tree': 'off' },
  },
  {
    what: 'IPv6 addresses where `<dhcp>` gives them',
    libvirt: 'for guests with DHCPv6',
    qlaunch: 'for all: others make their own',
    why: 'a bare kernel and Android have no DHCPv6',
    ours: { 'nat: router advertisements tell a guest': 'an address, a router' },
  },
  {
    what: 'the same MAC with another client id',
    libvirt: 'gets another address',
    qlaunch: 'keeps its address',
    why: 'an installer and the system it installs are one guest',
    ours: { 'default: a MAC with another client id gets': 'its address' },
  },
  {
    what: 'forwarding after all networks are stopped',
    libvirt: 'stays on',
    qlaunch: 'as it was before',
    why: 'the host is not to route for others because it once had a network',
    ours: { 'all stopped: forwarding of IPv4 and IPv6': '0 and 0' },
  },
  {
    what: 'rules after all networks are stopped',
    libvirt: 'its chains stay, empty',
    qlaunch: 'none',
    why: 'one table per network, which goes as a whole',
    ours: { 'all stopped: rules in nftables': 'none' },
  },
];

type SideName = 'libvirt' | 'qlaunch';

const valueOn = (side: SideName, key: string, value: string): string =>
  side === 'libvirt' ? value : (DIFFERENCES.find(({ ours }) => key in ours)?.ours[key] ?? value);

/** As it is to be measured. */
export const expectedWays = (side: SideName): Ways =>
  Object.fromEntries(
    Object.entries(WAYS).map(([what, values]) => [
      what,
      values.map((value, n) => valueOn(side, `${what} | ${COLUMNS[n]}`, value)),
    ]),
  );

export const expectedAnswers = (side: SideName): Answers =>
  Object.fromEntries(Object.entries(ANSWERS).map(([what, value]) => [what, valueOn(side, what, value)]));

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `|${'---|'.repeat(head.length)}`, ...rows.map(row)].join('\n');

/** For the README. */
export function renderParity(): string {
  return [
    table(
      ['', ...COLUMNS],
      Object.entries(WAYS).map(([what, values]) => [what, ...values]),
    ),
    '',
    table(['answers', ''], Object.entries(ANSWERS)),
    '',
    table(
      ['different', 'libvirt', 'qlaunch', 'why'],
      DIFFERENCES.map(({ what, libvirt, qlaunch, why }) => [what, libvirt, qlaunch, why]),
    ),
  ].join('\n');
}
