import { expect, test } from 'vitest';
import { isDefined } from '../../../../src/plan/nat/defined.ts';
import { chainsRow, iptablesSteps } from '../../../../src/plan/nat/iptables.ts';
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

/** What a start makes, as iptables-save prints what is in the table filter and elsewhere. */
function started(ahead: readonly string[] = [], docker: readonly string[] = []): string {
  const text = renderPlan({ steps: iptablesSteps(lab(), MARK, { 4: saved([], docker) }) });
  const lines = (table: string): readonly string[] => {
    const [, part = ''] = new RegExp(`^\\*${table}\\n([\\s\\S]*?)^COMMIT$`, 'm').exec(text) ?? [];
    return part
      .split('\n')
      .flatMap((line) => line.match(/^-[AI] .*/)?.[0].replace(/^-I (\S+) \d+/, '-A $1') ?? []);
  };
  return `*nat\n${[...lines('raw'), ...lines('nat')].join('\n')}\nCOMMIT\n${saved(lines('mangle'), [...ahead, ...lines('filter'), ...docker])}`;
}

const facts = (now: string): readonly string[] =>
  chainsRow(lab(), { 4: now }, MARK).flatMap(([, fact]) => fact ?? []);

const USER = ['-A FORWARD -j DOCKER-USER', '-A DOCKER-USER -j RETURN'];
const GUARD = '-A FORWARD -m comment --comment "qlaunch:net/x:aaaaaaaaaaaa" -j ql-aaaaaaaaaaaa-guard';

test.each([
  ['nothing', [], []],
  ['another guard', [GUARD], []],
  ['what only drops or logs', ['-A FORWARD -s 192.0.2.1/32 -j DROP', '-A FORWARD -j LOG'], []],
  ['a chain that accepts nothing', USER, []],
  ['an accept', [GUARD, '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT'], [/guard nothing: .*-i docker0 !/]],
  ['a chain that accepts', [...USER, '-A DOCKER-USER -i eth0 -j ACCEPT'], [/guard nothing: .*DOCKER-USER/]],
] as const)('%s stands before the guard', (_what, ahead, wanted) => {
  expect(facts(started(ahead))).toEqual(wanted.map((fact) => expect.stringMatching(fact)));
});

test('a network of Docker that came later is told of, one that went is not missed', () => {
  const docker = ['docker0', 'br-1'].map((bridge) => `-A FORWARD -o ${bridge} -j DOCKER`);
  const [both, one] = [started([], docker), started([], docker.slice(0, 1))];
  expect([facts(both), facts(one)]).toEqual([[], []]);
  expect(facts(both.replace(/^-A FORWARD -o br-1 .*\n/m, ''))).toEqual([]);
  expect(facts(one.replace(/^-A FORWARD -o docker0 .*$/m, docker.join('\n')))).toEqual([
    expect.stringMatching(/containers of br-1 do not publish/),
  ]);
});
