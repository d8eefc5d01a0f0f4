import { expect, test } from 'vitest';
import type { Packet } from '../../../../src/plan/firewall/match.ts';
import { parseRuleset } from '../../../../src/plan/firewall/ruleset.ts';
import { dropsOf } from '../../../../src/plan/firewall/verdict.ts';

const DNS: Packet = {
  iif: 'virbr0',
  proto: 'udp',
  sport: 40_000,
  dport: 53,
  saddr: '192.168.122.2',
  daddr: '192.168.122.1',
  state: 'new',
};

/** A chain as nft prints it. */
const input = (rules: readonly string[], policy = 'drop', more = ''): string => `table inet filter {
\tchain input {
\t\ttype filter hook input priority filter; policy ${policy};
${rules.map((rule) => `\t\t${rule}\n`).join('')}\t}
${more}}
`;

/** undefined: it passes. "policy", or the rule. */
function dropped(text: string, packet: Packet = DNS, hook = 'input'): string | undefined {
  const [drop] = dropsOf(parseRuleset(text), hook, packet);
  return drop === undefined ? undefined : (drop.rule ?? 'policy');
}

test.each([
  ['udp dport 53 accept'],
  ['iifname "virbr0" udp dport { 53, 67 } counter packets 7 bytes 9 accept'],
  ['iifname "virbr*" accept comment "for guests { of all kinds"'],
  ['meta l4proto { tcp, udp } th dport 50-60 accept'],
  ['ip saddr 192.168.0.0/16 ip daddr != 10.0.0.0/8 accept'],
  ['ip saddr 192.168.122.1-192.168.122.9 accept'],
  ['ct state { new, established } accept'],
  ['ct state vmap { established : accept, new : accept }'],
  ['iifname vmap { "lo" : accept, "virbr0" : jump sub }'],
  ['jump sub'],
  ['goto sub'],
  ['meta mark set 0x1 udp dport 53 accept'],
  ['log prefix "in: " level info accept'],
])('%s lets it pass', (rule) => {
  const sub = '\tchain sub {\n\t\tudp dport 53 accept\n\t}\n';
  expect(dropped(input([rule], 'drop', sub))).toBeUndefined();
});

test.each([
  ['tcp dport 53 accept'],
  ['udp dport { 67, 68 } accept'],
  ['iifname != "virbr0" accept'],
  ['iifname "virbr" accept'],
  ['ct state established,related accept'],
  ['ip saddr 10.0.0.0/8 accept'],
  ['udp dport @open accept'],
  ['limit rate 5/second accept'],
  ['ct state vmap { invalid : drop, established : accept }'],
  ['jump sub'],
  ['meta nfproto ipv6 accept'],
])('%s does not', (rule) => {
  const sub = '\tchain sub {\n\t\treturn\n\t\taccept\n\t}\n';
  expect(dropped(input([rule], 'drop', sub))).toBe('policy');
});

test('the rule that drops is told, and what is not understood is passed by', () => {
  expect(dropped(input(['udp dport 53 counter packets 1 bytes 2 drop'], 'accept'))).toBe('udp dport 53 drop');
  expect(dropped(input(['meta skuid 7 drop', 'reject with icmpx admin-prohibited'], 'accept'))).toBe(
    'reject with icmpx admin-prohibited',
  );
  expect(dropped(input(['meta skuid 7 drop'], 'accept'))).toBeUndefined();
});

test('a set on several lines is one rule', () => {
  const long = `udp dport { ${Array.from({ length: 40 }, (_, n) => 100 + n).join(', ')},\n\t\t\t     53 } accept`;
  expect(dropped(input([long]))).toBeUndefined();
});

test('every base chain must let it pass; ours, and those of IPv6, are not asked', () => {
  const other = input([]).replace('inet filter', 'ip filter');
  expect(dropsOf(parseRuleset(input(['accept']) + other), 'input', DNS)).toHaveLength(1);
  expect(dropped(input([]).replace('inet filter', 'ip6 filter'))).toBeUndefined();
  expect(dropped(input([]).replace('filter {', 'filter {\n\tcomment "qlaunch:net/x:0"'))).toBeUndefined();
});

test('an endless chain of jumps ends', () => {
  expect(dropped(input(['jump sub'], 'drop', '\tchain sub {\n\t\tjump sub\n\t}\n'))).toBe('policy');
});
