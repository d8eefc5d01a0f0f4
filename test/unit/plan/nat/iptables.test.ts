import { expect, test } from 'vitest';
import { isDefined } from '../../../../src/plan/nat/defined.ts';
import { iptablesSteps } from '../../../../src/plan/nat/iptables.ts';
import { renderPlan } from '../../../../src/plan/render.ts';
import { readNetwork } from '../../../../src/spec/nat/read.ts';

const MARK = 'qlaunch:net/lab:0123456789ab';

function lab() {
  const xml = `<network><name>lab</name><uuid>11111111-2222-3333-4444-555555555555</uuid><forward mode='nat'/>
    <bridge name='lab0'/><mac address='52:54:00:aa:bb:cc'/><ip address='10.9.0.1' prefix='24'/></network>`;
  const { network } = readNetwork(xml, 'x.xml');
  if (!isDefined(network)) throw new Error('not filled in');
  return network;
}

/** As iptables-nft-save prints them: mangle before filter. */
const saved = (mangle: readonly string[], filter: readonly string[]): string =>
  Object.entries({ mangle, filter })
    .map(([table, rules]) => `*${table}\n:FORWARD ACCEPT [0:0]\n${[...rules, 'COMMIT', ''].join('\n')}`)
    .join('');

const placeOfPass = (now: string): string | undefined =>
  /-I FORWARD (\d+) .*-pass$/m.exec(renderPlan({ steps: iptablesSteps(lab(), MARK, { 4: now }) }))?.[1];

test('a new pass stands right behind the guards of the table filter, whatever FORWARD of mangle has', () => {
  const clamp = '-A FORWARD -o eth0 -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu';
  const guard = '-A FORWARD -m comment --comment "qlaunch:net/x:aaaaaaaaaaaa" -j ql-aaaaaaaaaaaa-guard';
  const drop = '-A FORWARD -i lab0 -j DROP';
  expect(placeOfPass(saved([clamp, clamp], []))).toBe('2');
  expect(placeOfPass(saved([clamp, guard, clamp], [drop]))).toBe('2');
  expect(placeOfPass(saved([clamp], [guard, drop]))).toBe('3');
});
