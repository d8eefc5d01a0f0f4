/** Recorded rulesets of hosts, and what is typed to open them. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type FirewallFacts,
  obstaclesOf,
  peaceSteps,
  renderObstacle,
} from '../../../src/plan/firewall/peace.ts';
import { parseRuleset } from '../../../src/plan/firewall/ruleset.ts';
import { parseZones } from '../../../src/plan/firewall/zone.ts';
import { isDefined } from '../../../src/plan/nat/defined.ts';
import { checkZone, neighbourNotes } from '../../../src/plan/nat/neighbours.ts';
import { renderPlan } from '../../../src/plan/render.ts';
import { readNetwork } from '../../../src/spec/nat/read.ts';

const MARK = 'qlaunch:net/lab:0123456789ab';

function network(forward = "<forward mode='nat'/>") {
  const { network: read } = readNetwork(
    `<network><name>lab</name>${forward}<bridge name='lab0'/><mac address='52:54:00:00:00:01'/>
    <ip address='10.98.0.1' prefix='24'><dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip></network>`,
    'lab.xml',
  );
  if (!isDefined(read)) throw new Error('not whole');
  return read;
}

const recorded = (name: string): string =>
  readFileSync(new URL(`hosts/${name}.nft`, import.meta.url), 'utf8');

const CASES: Readonly<Record<string, Pick<FirewallFacts, 'tools' | 'zones' | 'ufw'>>> = {
  docker: { tools: ['iptables'], zones: [] },
  ufw: { tools: ['iptables', 'ufw'], zones: [], ufw: [] },
  firewalld: { tools: [], zones: ['public', 'trusted'] },
  nixos: { tools: [], zones: [] },
};

const factsOf = (name: string): FirewallFacts => ({
  chains: parseRuleset(recorded(name)),
  uplink: 'eth0',
  bridgeFilter: name === 'docker',
  ...(CASES[name] ?? { tools: [], zones: [] }),
});

test.each(Object.keys(CASES))('%s: who drops what, and the steps', async (name) => {
  const facts = factsOf(name);
  const said = obstaclesOf(network(), facts).map((one) => `# ${renderObstacle(one)}`);
  const text = [...said, renderPlan({ steps: peaceSteps(network(), facts, MARK) })].join('\n');
  await expect(text).toMatchFileSnapshot(`hosts/${name}.sh`);
});

test.each(['ufw', 'firewalld'])('%s, opened so (and recorded again), drops nothing of it', (name) => {
  const facts = { ...factsOf(name), chains: parseRuleset(recorded(`${name}-opened`)) };
  expect(obstaclesOf(network(), facts)).toEqual([]);
});

test('a network that serves files: TFTP is opened as well', () => {
  const ips = network().ips.map((ip) => ({ ...ip, tftp: '/srv/tftp' }));
  const files = { ...network(), ips };
  const opened = (of: ReturnType<typeof network>, facts: FirewallFacts): string =>
    renderPlan({ steps: peaceSteps(of, facts, MARK) });
  expect(opened(files, factsOf('ufw'))).toContain('ufw allow in on lab0 to any port 69 proto udp');
  expect(opened(network(), factsOf('ufw'))).not.toContain('port 69');
  const chains = parseRuleset(
    'table inet guard {\n\tchain in {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tudp dport { 53, 67 } accept\n\t\ttcp dport 53 accept\n\t}\n}\n',
  );
  const facts = { chains, bridgeFilter: false, tools: [], zones: [] };
  expect(obstaclesOf(network(), facts)).toEqual([]);
  expect(obstaclesOf(files, facts).map(({ what }) => what)).toEqual([['guests fetch files (TFTP)']]);
  expect(opened(files, facts)).toContain('inet guard in iifname \'"lab0"\' udp dport 69 counter accept');
});

const DUAL = (() => {
  const { network: read } = readNetwork(
    `<network><name>lab</name><forward/><bridge name='lab0'/><mac address='52:54:00:00:00:01'/>
    <ip address='10.98.0.1' prefix='24'><dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip>
    <ip address='fd98::1'><dhcp><range start='fd98::10' end='fd98::90'/></dhcp></ip></network>`,
    'lab.xml',
  );
  if (!isDefined(read)) throw new Error('not whole');
  return read;
})();

const stepsFor = (facts: FirewallFacts): string => renderPlan({ steps: peaceSteps(DUAL, facts, MARK) });

test('IPv6: firewalld has one zone for both; a ufw that does without IPv6 has left a table that drops it all', () => {
  expect(stepsFor(factsOf('firewalld')).match(/firewall-cmd/g)).toHaveLength(1);
  const said = obstaclesOf(DUAL, factsOf('ufw')).map(renderObstacle);
  expect(said).toContainEqual(expect.stringMatching(/ip6 filter INPUT by its policy: .*an address \(IPv6\)/));
  expect(stepsFor(factsOf('ufw'))).toContain('ip6tables -w -A FORWARD -i lab0');
});

test('IPv6: what ufw lets pass by its own rules is not opened again, the rest by ufw', () => {
  const text = (rule: string): string => `table ip6 filter {
\tchain ufw6-before-input {
\t\t${rule}
\t}
\tchain INPUT {
\t\ttype filter hook input priority filter; policy drop;
\t\tcounter packets 0 bytes 0 jump ufw6-before-input
\t}
}
`;
  const facts = (rule: string): FirewallFacts => ({
    chains: parseRuleset(text(rule)),
    tools: ['iptables', 'ufw'],
    zones: [],
    ufw: [],
    uplink: 'eth0',
    bridgeFilter: false,
  });
  const nd =
    'meta l4proto ipv6-icmp icmpv6 type { nd-router-solicit, nd-neighbor-solicit } ip6 hoplimit 255 accept';
  const [drop] = obstaclesOf(DUAL, facts(nd));
  expect(drop).toMatchObject({
    owner: 'ufw',
    what: [
      'guests ask for an address (IPv6)',
      'guests ask for names (IPv6)',
      'guests ask for names (IPv6, TCP)',
    ],
  });
  expect(stepsFor(facts(nd))).toContain('ufw allow in on lab0 to any port 547 proto udp');
  expect(obstaclesOf(DUAL, facts('accept'))).toEqual([]);
});

test.each(['inet', 'ip6'])('IPv6: a drop in a table of %s is opened in its own words', (family) => {
  const chains = parseRuleset(
    `table ${family} mine {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n`,
  );
  const text = stepsFor({ chains, tools: [], zones: [], uplink: 'eth0', bridgeFilter: false });
  const words = (rest: string) => `nft add rule ${family} mine input iifname '"lab0"' ${rest} counter accept`;
  expect(text).toContain(words('udp dport 547'));
  expect(text).toContain(words('meta l4proto icmpv6'));
  expect(text.includes(words('udp dport 67'))).toBe(family === 'inet');
});

test('IPv6: ip6tables is spoken to in its own words', () => {
  const chains = parseRuleset(
    'table ip6 filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n',
  );
  const text = stepsFor({ chains, tools: ['iptables'], zones: [], uplink: 'eth0', bridgeFilter: false });
  expect(text).toContain('ip6tables -w -A INPUT -i lab0 -p icmpv6 -m comment');
  expect(text).toContain('ip6tables -w -A INPUT -i lab0 -p udp --dport 547 -m comment');
});

const table = (name: string, chains: Readonly<Record<string, readonly string[]>>): string =>
  [
    `table ${name} {`,
    ...Object.entries(chains).flatMap(([chain, rules]) => [
      `\tchain ${chain} {`,
      ...rules.map((rule) => `\t\t${rule}`),
      '\t}',
    ]),
    '}',
    '',
  ].join('\n');

/** Each step's words before the match. */
const places = (text: string, tools: readonly string[] = []): readonly string[] => {
  const facts = { chains: parseRuleset(text), tools, zones: [], uplink: 'eth0', bridgeFilter: false };
  const plan = renderPlan({ steps: peaceSteps(network(), facts, MARK) });
  return [...plan.matchAll(/^(nft|iptables) (.*?) (?:iifname|oifname|-i|-o) /gm)].map(
    ([, , words]) => words ?? '',
  );
};

const FORWARD = 'type filter hook forward priority filter; policy drop;';

test('what somebody drops by a rule of his own stays dropped: ours is the last that still helps', () => {
  const refuse = 'tcp dport 25 drop';
  const ofPolicy = table('inet mine', { forward: [FORWARD, refuse] });
  expect(places(ofPolicy)).toEqual(['add rule inet mine forward', 'add rule inet mine forward']);
  const ofRule = table('inet mine', {
    forward: [FORWARD, refuse, 'counter reject', 'ip saddr 10.0.0.1 accept'],
  });
  expect(new Set(places(ofRule))).toEqual(new Set(['insert rule inet mine forward index 1']));
  const further = table('inet mine', {
    forward: [FORWARD, 'jump lan', refuse],
    lan: [refuse, 'ct state established accept', 'ip saddr 10.98.0.0/24 drop'],
  });
  expect(places(further)).toEqual(['add rule inet mine forward', 'insert rule inet mine lan index 2']);
  const returned = table('inet mine', { forward: [FORWARD, refuse, 'counter packets 1 bytes 2 return'] });
  expect(new Set(places(returned))).toEqual(new Set(['insert rule inet mine forward index 1']));
  const gone = table('inet mine', { forward: [FORWARD, 'goto lan', refuse], lan: [refuse] });
  expect(new Set(places(gone))).toEqual(new Set(['add rule inet mine lan']));
});

test('several rules of one chain, the last one first: no number has changed by then', () => {
  const input = table('ip filter', {
    INPUT: [
      'type filter hook input priority filter; policy accept;',
      'udp dport 67 drop',
      'tcp dport 25 drop',
      'meta l4proto { tcp, udp } th dport 53 drop',
    ],
  });
  const at = (nth: number): string => `insert rule ip filter INPUT index ${nth}`;
  expect(places(input)).toEqual([at(2), at(2), at(0)]);
  expect(places(input, ['iptables'])).toEqual(['-w -I INPUT 3', '-w -I INPUT 3', '-w -I INPUT 1']);
});

test('Docker: before the last return of DOCKER-USER, where others have their own rules', () => {
  const docker = (user: readonly string[]): string =>
    table('ip filter', {
      'DOCKER-USER': user,
      FORWARD: [FORWARD, 'counter jump DOCKER-USER', 'oifname "docker0" accept'],
    });
  const first = (user: readonly string[]): string | undefined => places(docker(user), ['iptables'])[0];
  expect(first(['ip saddr 192.0.2.0/24 drop', 'counter return'])).toBe('-w -I DOCKER-USER 2');
  expect(first(['ip saddr 192.0.2.0/24 drop'])).toBe('-w -A DOCKER-USER');
  expect(first([])).toBe('-w -A DOCKER-USER');
  // Dropped there already.
  expect(first(['tcp dport 25 drop', 'iifname "lab0" drop', 'counter return'])).toContain('DOCKER-USER');
});

test('ufw: where somebody has a rule of that kind, allow or deny, it stays his', () => {
  const told = (...ufw: readonly string[]): string =>
    renderPlan({ steps: peaceSteps(network(), { ...factsOf('ufw'), ufw }, MARK) });
  const kinds = (text: string): readonly string[] =>
    [...text.matchAll(/^ufw (.*) comment /gm)].map(([, rule]) => rule ?? '');
  const all = kinds(told());
  expect(all).toHaveLength(4);
  expect(
    kinds(
      told(
        ...["Added user rules (see 'ufw status' for running firewall):", 'ufw allow 22/tcp'],
        ...["ufw allow in on lab0 to any port 53 comment 'mine'", 'ufw route deny in on lab0'],
        'ufw limit in on lab0 log to any port 67 proto udp',
      ),
    ),
  ).toEqual(['route allow out on lab0']);
  const { ufw: _, ...unknown } = factsOf('ufw');
  expect(kinds(renderPlan({ steps: peaceSteps(network(), unknown, MARK) }))).toEqual([]);
  // Of this start.
  expect(kinds(told(`ufw route allow in on lab0 comment '${MARK}/route-in-on'`))).toHaveLength(3);
  // One of ours is left from somewhere.
  expect(
    kinds(told("ufw route allow in on lab0 comment 'qlaunch:net/lab:ffff0123abcd/route-in-on'")),
  ).toEqual(all);
});

test('firewalld: the zone that the bridge was in is put back; where it is in the right one nothing is done', () => {
  const { zones, zoneOf } = parseZones(
    'block\n  target: %%REJECT%%\n  interfaces: \n\npublic (default, active)\n  interfaces: eth0 lab0\n  services: ssh\ntrusted\n  target: ACCEPT\n',
  );
  expect(zones).toEqual(['block', 'public', 'trusted']);
  expect(zoneOf).toEqual({ eth0: 'public', lab0: 'public' });
  const undo = (of: Readonly<Record<string, string>>): unknown =>
    peaceSteps(network(), { ...factsOf('firewalld'), zones, zoneOf: of }, MARK)
      .filter(({ title }) => title.includes('zone'))
      .map((step) => ('run' in step.undo ? step.undo.run.slice(-3) : []));
  expect(undo(zoneOf ?? {})).toEqual([['lab0', 'trusted', 'public']]);
  expect(undo({})).toEqual([['lab0', 'trusted', '']]);
  expect(undo({ lab0: 'trusted' })).toEqual([]);
});

test('firewalld: libvirt’s zone guards this host itself, and a named one is its author’s choice', () => {
  const titles = (zones: readonly string[], zone?: string): string =>
    peaceSteps(
      zone === undefined ? network() : { ...network(), bridge: { ...network().bridge, zone } },
      { ...factsOf('firewalld'), zones },
      MARK,
    )
      .map(({ title }) => title)
      .join();
  expect(titles(['public', 'trusted'])).toMatch(
    /^keep guests of lab0 from all of this host but .*zone trusted$/,
  );
  expect(titles(['public', 'trusted', 'libvirt'])).toBe("put lab0 into firewalld's zone libvirt");
  expect(titles(['public', 'trusted'], 'trusted')).toBe("put lab0 into firewalld's zone trusted");
  const routed = network("<forward mode='route'/>");
  const all = ['public', 'trusted', 'libvirt', 'libvirt-routed'];
  expect(peaceSteps(routed, { ...factsOf('firewalld'), zones: all }, MARK).map(({ title }) => title)).toEqual(
    ["put lab0 into firewalld's zone libvirt-routed"],
  );
});

test('an open network asks for nothing', () => {
  expect(obstaclesOf(network("<forward mode='open'/>"), factsOf('docker'))).toEqual([]);
});

test('a zone that the definition names is its own, also where nothing drops; one that is not there is refused', () => {
  const facts = factsOf('firewalld');
  const zoned = { ...network(), bridge: { ...network().bridge, zone: 'public' } };
  const words = (chains: FirewallFacts['chains']): string =>
    renderPlan({ steps: peaceSteps(zoned, { ...facts, chains }, MARK) });
  for (const chains of [facts.chains, []])
    expect(words(chains)).toContain('firewall-cmd --zone=public --change-interface=lab0');
  const host = { links: [], token: '0123456789ab', routes: [], ipv6: true, resolvConf: true };
  expect(() => checkZone(zoned, { ...host, firewall: { ...facts, zones: ['trusted'] } })).toThrow(
    expect.objectContaining({ code: 'QL_NET_ZONE' }),
  );
  expect(() => checkZone(zoned, { ...host, firewall: facts })).not.toThrow();
  expect(neighbourNotes(zoned, host)).toEqual([expect.stringContaining('does not run')]);
});
