import { expect, test } from 'vitest';
import { ownersCure } from '../../../../src/plan/firewall/cure.ts';
import { type FirewallFacts, obstaclesOf, peaceSteps } from '../../../../src/plan/firewall/peace.ts';
import { parseRuleset } from '../../../../src/plan/firewall/ruleset.ts';
import { isDefined } from '../../../../src/plan/nat/defined.ts';
import { readNetwork } from '../../../../src/spec/nat/read.ts';

const MARK = 'qlaunch:net/lab:0123456789ab';

function lab(zone = '') {
  const { network } = readNetwork(
    `<network><name>lab</name><forward/><bridge name='lab0'${zone}/><mac address='52:54:00:00:00:01'/>
    <ip address='10.98.0.1' prefix='24'><dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip></network>`,
    'lab.xml',
  );
  if (!isDefined(network)) throw new Error('not whole');
  return network;
}

/** Nothing passes at both hooks. */
const closed = (table: string, rule = ''): FirewallFacts['chains'] =>
  parseRuleset(
    ['input', 'forward']
      .map(
        (hook) =>
          `\tchain ${hook} {\n\t\ttype filter hook ${hook} priority filter; policy drop;\n${rule}\t}\n`,
      )
      .reduce((all, chain) => all + chain, `table ${table} {\n`)
      .concat('}\n'),
  );

test.each([
  [
    'ufw',
    lab(),
    {
      chains: closed('ip filter', '\t\tjump ufw-user\n'),
      tools: ['ufw'],
      zones: [],
      ufw: [
        "ufw deny in on lab0 to any port 53 comment 'no names'",
        'ufw deny in on lab0 to any port 67 proto udp',
        'ufw reject in on lab0 to any port 22,60:70 proto udp',
        'ufw deny in on lab0 to any port 22',
        'ufw deny in on lab0 to any port 67 proto tcp',
        'ufw route reject in on lab0',
        'ufw route deny in on lab0 to any port 25 proto tcp',
        'ufw deny in on eth0 to any port 22',
        'ufw allow in on lab0 to any port 80',
      ],
    },
    [
      [
        'sudo ufw delete deny in on lab0 to any port 53',
        'sudo ufw delete deny in on lab0 to any port 67 proto udp',
        'sudo ufw delete reject in on lab0 to any port 22,60:70 proto udp',
      ],
      ['sudo ufw route delete reject in on lab0'],
    ],
  ],
  [
    'a ufw whose rules name no bridge, or no port that guests need',
    lab(),
    {
      ...{ chains: closed('ip filter', '\t\tjump ufw-user\n'), tools: ['ufw'], zones: [] },
      ufw: ['ufw deny 53', 'ufw deny in on lab0 to any port 22', 'ufw route deny in on lab0 to any port 25'],
    },
    [[expect.stringContaining('sudo ufw show added')], [expect.stringContaining('sudo ufw show added')]],
  ],
  [
    'a zone of the definition',
    lab(" zone='mine'"),
    {
      ...{ chains: closed('inet firewalld'), tools: [], zones: ['mine', 'trusted'] },
      zoneOf: { lab0: 'mine' },
    },
    [
      [expect.stringContaining('sudo firewall-cmd --zone=mine --add-service=dhcp --add-service=dns ')],
      [expect.stringContaining('sudo qlaunch net edit lab ')],
    ],
  ],
] as const)('%s says no: the line that its owner types', (name, network, given, lines) => {
  const facts: FirewallFacts = { ...given, uplink: 'eth0', bridgeFilter: false };
  const cures = obstaclesOf(network, facts).map((one) => ownersCure(network, one, facts));
  expect(cures).toEqual(lines);
  if (name.includes('zone')) expect(peaceSteps(network, facts, MARK)).toEqual([]);
});
