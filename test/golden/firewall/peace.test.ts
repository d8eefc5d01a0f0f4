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
