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

const CASES: Readonly<Record<string, Pick<FirewallFacts, 'tools' | 'zones'>>> = {
  docker: { tools: ['iptables'], zones: [] },
  ufw: { tools: ['iptables', 'ufw'], zones: [] },
  firewalld: { tools: ['firewall-cmd'], zones: ['public', 'trusted'] },
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
  const owns = { link: 'lab0', mac: '52:54:00:00:00:01', alias: MARK };
  const said = obstaclesOf(network(), facts).map((one) => `# ${renderObstacle(one)}`);
  const text = [...said, renderPlan({ steps: peaceSteps(network(), facts, MARK, owns) })].join('\n');
  await expect(text).toMatchFileSnapshot(`hosts/${name}.sh`);
});

test.each(['ufw', 'firewalld'])('%s, opened so (and recorded again), drops nothing of it', (name) => {
  const facts = { ...factsOf(name), chains: parseRuleset(recorded(`${name}-opened`)) };
  expect(obstaclesOf(network(), facts)).toEqual([]);
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

const stepsFor = (facts: FirewallFacts): string =>
  renderPlan({ steps: peaceSteps(DUAL, facts, MARK, { link: 'lab0', alias: MARK }) });

test('IPv6: firewalld has one zone for both; a ufw that does without IPv6 has left a table that drops it all', () => {
  expect(stepsFor(factsOf('firewalld')).match(/firewall-cmd/g)).toHaveLength(1);
  const said = obstaclesOf(DUAL, factsOf('ufw')).map(renderObstacle);
  expect(said).toContainEqual(expect.stringMatching(/ip6 filter INPUT by its policy: .*an address \(IPv6\)/));
  expect(stepsFor(factsOf('ufw'))).toContain('ip6tables -w -I FORWARD -i lab0');
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
    uplink: 'eth0',
    bridgeFilter: false,
  });
  const nd =
    'meta l4proto ipv6-icmp icmpv6 type { nd-router-solicit, nd-neighbor-solicit } ip6 hoplimit 255 accept';
  const [drop] = obstaclesOf(DUAL, facts(nd));
  expect(drop).toMatchObject({
    owner: 'ufw',
    what: ['guests ask for an address (IPv6)', 'guests ask for names (IPv6)'],
  });
  expect(stepsFor(facts(nd))).toContain('ufw allow in on lab0 to any port 547 proto udp');
  expect(obstaclesOf(DUAL, facts('accept'))).toEqual([]);
});

test.each(['inet', 'ip6'])('IPv6: a drop in a table of %s is opened in its own words', (family) => {
  const chains = parseRuleset(
    `table ${family} mine {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n`,
  );
  const text = stepsFor({ chains, tools: [], zones: [], uplink: 'eth0', bridgeFilter: false });
  const words = (rest: string) =>
    `nft insert rule ${family} mine input iifname '"lab0"' ${rest} counter accept`;
  expect(text).toContain(words('udp dport 547'));
  expect(text).toContain(words('meta l4proto icmpv6'));
  expect(text.includes(words('udp dport 67'))).toBe(family === 'inet');
});

test('IPv6: ip6tables is spoken to in its own words', () => {
  const chains = parseRuleset(
    'table ip6 filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n',
  );
  const text = stepsFor({ chains, tools: ['iptables'], zones: [], uplink: 'eth0', bridgeFilter: false });
  expect(text).toContain('ip6tables -w -I INPUT -i lab0 -p icmpv6 -m comment');
  expect(text).toContain('ip6tables -w -I INPUT -i lab0 -p udp --dport 547 -m comment');
});

test('an open network asks for nothing', () => {
  expect(obstaclesOf(network("<forward mode='open'/>"), factsOf('docker'))).toEqual([]);
});

test('a zone that the definition names is its own, also where nothing drops; one that is not there is refused', () => {
  const facts = factsOf('firewalld');
  const zoned = { ...network(), bridge: { ...network().bridge, zone: 'public' } };
  const owns = { link: 'lab0', alias: MARK };
  const words = (chains: FirewallFacts['chains']): string =>
    renderPlan({ steps: peaceSteps(zoned, { ...facts, chains }, MARK, owns) });
  for (const chains of [facts.chains, []])
    expect(words(chains)).toContain('firewall-cmd --zone=public --change-interface=lab0');
  const host = { links: [], token: '0123456789ab', routes: [], ipv6: true, resolvConf: true };
  expect(() => checkZone(zoned, { ...host, firewall: { ...facts, zones: ['trusted'] } })).toThrow(
    expect.objectContaining({ code: 'QL_NET_ZONE' }),
  );
  expect(() => checkZone(zoned, { ...host, firewall: facts })).not.toThrow();
  expect(neighbourNotes(zoned, host)).toEqual([expect.stringContaining('does not run')]);
});
