// needs: bridge, vlan_filtering, bond, 8021q, dummy
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linuxMachine } from '../../src/host/linux.ts';
import { identity } from '../../src/host/vm/user.ts';
import { boardOf } from '../../src/plan/map/board.ts';
import { lookAtBoard } from '../../src/run/map/look.ts';

const LINKS = ['sd0', 'sd1', 'sd2', 'sbond', 'sbr'];

beforeAll(() => {
  const lines = [
    ...['link add sd0 type dummy', 'link add sd1 type dummy', 'link add sd2 type dummy'],
    ...[
      'link add sbond type bond mode active-backup',
      'link set sd0 master sbond',
      'link set sd1 master sbond',
    ],
    ...['link set sbond up', 'link add link sbond name sbond.10 type vlan id 10', 'link set sbond.10 up'],
    ...['link add sbr type bridge vlan_filtering 1 stp_state 1 forward_delay 1500', 'link set sbr up'],
    ...['link set sbond.10 master sbr', 'link set sd2 master sbr', 'link set sd2 up'],
  ];
  for (const line of lines) execFileSync('ip', line.split(' '));
  execFileSync('bridge', ['vlan', 'add', 'dev', 'sd2', 'vid', '30-32']);
});

afterAll(() => {
  for (const name of LINKS) execFileSync('ip', ['link', 'delete', 'dev', name]);
});

test('a VLAN on a bond is told as the kernel has it, and so are the bridge’s own settings', async () => {
  const board = boardOf(await lookAtBoard(linuxMachine(), identity(process.env), process.env));
  const bridge = board.bridges.find(({ name }) => name === 'sbr');
  expect(bridge).toMatchObject({ stp: true, forwardDelayMs: 15_000, vlanFiltering: true });
  const [vlan, plain] = ['sbond.10', 'sd2'].map((name) => bridge?.ports.find((port) => port.name === name));
  expect(vlan).toMatchObject({
    what: 'VLAN 10',
    stack: [[{ name: 'sd0' }, { name: 'sd1' }], [{ name: 'sbond' }], [{ name: 'sbond.10' }]],
  });
  expect(plain).toMatchObject({
    what: 'dummy',
    state: expect.stringMatching(/listening|learning|forwarding|up/),
  });
  // bridge(8) gives a range one row or one row each, by its version.
  expect(plain?.vlans.join(' ')).toMatch(/^1 untagged 30(-32| 31 32)$/);
  const bond = board.others.find(({ name }) => name === 'sbond');
  expect(bond?.on.map(({ name }) => name).sort()).toEqual(['sbond.10', 'sd0', 'sd1']);
});
