import { expect, test } from 'vitest';
import { bridgeFilterFindings } from '../../../../src/plan/doctor/forward.ts';

/** As nft 1.0.6 prints Docker's rules by iptables-nft. */
const DOCKER = `table ip filter {
\tchain DOCKER-USER {
\t\tcounter packets 0 bytes 0 return
\t}

\tchain FORWARD {
\t\ttype filter hook forward priority filter; policy drop;
\t\tcounter packets 10 bytes 840 jump DOCKER-USER
\t\tiifname "docker0" oifname "docker0" counter packets 0 bytes 0 accept
\t}

\tchain INPUT {
\t\ttype filter hook input priority filter; policy accept;
\t\tiifname "br0" accept
\t}
}
`;
/** firewalld: the policy accepts, the last rule does not. */
const REJECT = `table inet firewalld {
\tchain filter_FORWARD {
\t\ttype filter hook forward priority filter + 10; policy accept;
\t\tct state established,related accept
\t\treject with icmpx admin-prohibited
\t}
}
`;

const problems = (ruleset: string, bridges: readonly string[], docker = false): readonly string[] =>
  bridgeFilterFindings(ruleset, bridges, docker).flatMap(({ state, cure = [] }) =>
    state === 'problem' ? [cure[0] ?? ''] : [],
  );

test('Docker drops what crosses br0, and not what crosses its own bridge', () => {
  expect(problems(DOCKER, ['br0', 'docker0'], true)).toEqual([
    'sudo nft insert rule ip filter DOCKER-USER iifname br0 oifname br0 accept',
  ]);
  expect(bridgeFilterFindings(DOCKER, ['docker0'], true)).toMatchObject([{ state: 'ok', about: 'docker0' }]);
});

test('a rule in front, in any chain that forwarded packets meet, is enough; one for other packets is not', () => {
  const accepting = DOCKER.replace(
    '\t\tcounter packets 0 bytes 0 return',
    '\t\tiifname "br0" oifname "br0" counter packets 1 bytes 84 accept\n\t\tcounter packets 0 bytes 0 return',
  );
  expect(problems(accepting, ['br0'])).toEqual([]);
  expect(problems(accepting, ['br1'])).toHaveLength(1);
});

test('a last rule that rejects all is a drop too', () => {
  expect(problems(REJECT, ['br0'])).toEqual([
    'sudo nft insert rule inet firewalld filter_FORWARD iifname br0 oifname br0 accept',
  ]);
});

test('every chain in the way is told; none, and all is well', () => {
  expect(problems(DOCKER + REJECT, ['br0'])).toHaveLength(2);
  expect(problems('', ['br0'])).toEqual([]);
});
