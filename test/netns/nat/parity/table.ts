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

interface Difference {
  readonly what: string;
  readonly libvirt: string;
  readonly qlaunch: string;
  readonly why: string;
  /** Ours; of a row of WAYS "ROW | COLUMN". */
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
    },
  },
  {
    what: 'a guest of an isolated network sends to one of a routed network',
    libvirt: 'arrives; only the answer is refused',
    qlaunch: 'refused',
    why: 'each network of ours has the last word on what leaves it',
    ours: { 'guest of isolated → guest | route': 'refused' },
  },
];

/** "ROW | COLUMN", as it is to be measured. */
export function expectedWays(side: 'libvirt' | 'qlaunch'): Ways {
  const ours: Readonly<Record<string, string>> = Object.assign({}, ...DIFFERENCES.map((one) => one.ours));
  const cell = (row: string, value: string, n: number): string =>
    side === 'libvirt' ? value : (ours[`${row} | ${COLUMNS[n]}`] ?? value);
  return Object.fromEntries(
    Object.entries(WAYS).map(([row, values]) => [row, values.map((value, n) => cell(row, value, n))]),
  );
}

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
    table(
      ['different', 'libvirt', 'qlaunch', 'why'],
      DIFFERENCES.map(({ what, libvirt, qlaunch, why }) => [what, libvirt, qlaunch, why]),
    ),
  ].join('\n');
}
