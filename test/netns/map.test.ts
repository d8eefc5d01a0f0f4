// needs: bridge, tap, veth, macvlan, vxlan
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linuxMachine } from '../../src/host/linux.ts';
import { identity } from '../../src/host/vm/user.ts';
import { type Board, boardOf } from '../../src/plan/map/board.ts';
import type { Device } from '../../src/plan/map/device.ts';
import type { BoardFacts } from '../../src/plan/map/facts.ts';
import { apply } from '../../src/run/apply.ts';
import { lookAtBoard } from '../../src/run/map/look.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { makeTree, type Tree } from './tree.ts';

const ESCAPE = 'ev\u001b[31m';
let tree: Tree;

beforeAll(() => {
  tree = makeTree();
  const ip = (words: string): void => void execFileSync('ip', words.split(' '));
  ip('netns add outside');
  ip('link add mapbr type bridge');
  ip('link set mapbr up');
  ip('address add 192.0.2.1/24 dev mapbr');
  ip('link add mapveth type veth peer name out netns outside');
  ip('link set mapveth master mapbr up');
  ip('-n outside link set out up');
  ip('-n outside address add 192.0.2.2/24 dev out');
  ip('tuntap add dev maptap mode tap user nobody');
  ip('link set maptap master mapbr up');
  ip('link add maplow type veth peer name out2 netns outside');
  ip('link add mapmv link maplow type macvlan mode bridge');
  ip('link add mapvx type vxlan id 42 dstport 4789 dev mapbr');
  ip('route add default via 192.0.2.2');
  execFileSync('ip', ['link', 'add', 'name', ESCAPE, 'type', 'bridge']);
});

afterAll(() => {
  for (const name of ['maplow', 'mapvx', 'maptap', 'mapveth', 'mapbr', ESCAPE])
    execFileSync('ip', ['link', 'delete', 'dev', name]);
  execFileSync('ip', ['netns', 'delete', 'outside']);
  tree.remove();
});

const look = (): Promise<BoardFacts> => lookAtBoard(linuxMachine(), identity(tree.env), tree.env);
const bridge = ({ bridges }: Board, name: string): Board['bridges'][number] => {
  const found = bridges.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name} among ${bridges.map((one) => one.name).join()}`);
  return found;
};
const portOf = (board: Board, name: string): Device | undefined =>
  bridge(board, 'mapbr').ports.find((port) => port.name === name);

test('a bridge with a veth and a tap, and what is stacked on them', async () => {
  const board = boardOf(await look());
  expect(bridge(board, 'mapbr')).toMatchObject({
    state: 'up',
    addresses: ['192.0.2.1/24'],
    defaultRoute: true,
    stp: false,
  });
  expect(portOf(board, 'mapveth')).toMatchObject({ what: 'veth', state: 'up', elsewhere: true });
  expect(portOf(board, 'maptap')).toMatchObject({ what: 'tap', state: 'no carrier', owner: 'nobody' });
  expect(board.others).toMatchObject([
    { name: 'maplow', elsewhere: true, on: [{ name: 'mapmv', what: 'macvlan bridge' }] },
    { name: 'mapvx', what: 'vxlan 42', on: [] },
  ]);
});

test('a name with an escape sequence stops neither the map nor a change of the host', async () => {
  expect(bridge(boardOf(await look()), 'ev\uFFFD[31m')).toMatchObject({ state: 'down', ports: [] });
  const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
  const seen: string[] = [];
  await apply(engine, { title: 'look', lifetime: { permanent: true } }, ({ links }) => {
    seen.push(...links.map(({ ifname }) => ifname));
    return { steps: [] };
  });
  expect(seen).toContain('mapbr');
});

test('rates are what crossed the port between two looks', async () => {
  const before = await look();
  execFileSync('ping', ['-q', '-c', '20', '-i', '0.01', '-s', '1400', '192.0.2.2']);
  const board = boardOf(await look(), before);
  const rates = portOf(board, 'mapveth')?.rates;
  // 20 × (1400 + 8 + 20 + 14) bytes each way in some tenths of a second; nothing else speaks here.
  expect(rates?.inBitsPerSecond).toBeGreaterThan(20_000);
  expect(rates?.outBitsPerSecond).toBeGreaterThan(20_000);
  expect(portOf(board, 'maptap')?.rates?.inBitsPerSecond).toBe(0);
  expect(portOf(boardOf(before), 'mapveth')).not.toHaveProperty('rates');
});

test('a user without rights gets the same picture, plain and in ASCII where the locale is', () => {
  const dir = mkdtempSync(join(tmpdir(), 'qlaunch-map-'));
  try {
    cpSync(new URL('../../dist', import.meta.url), dir, { recursive: true });
    execFileSync('chmod', ['-R', 'a+rX', dir]);
    const run = (locale: string, ...args: readonly string[]): string =>
      execFileSync(
        'setpriv',
        ['--reuid', '65534', '--regid', '65534', '--clear-groups', join(dir, 'bin/qlaunch'), 'map', ...args],
        { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: '/nonexistent', LC_ALL: locale } },
      );
    const text = run('C');
    expect(text).toMatch(/^\+- mapbr -+\+$/m);
    expect(text).toMatch(/^ {2}\|- mapveth {2}veth, up, /m);
    expect(text).toMatch(/^ {2}`- maptap {3}tap, not in use, /m);
    expect(text).toMatch(/^\+- ev\?\[31m -+\+$/m);
    expect([...text].every((character) => character === '\n' || (character >= ' ' && character <= '~'))).toBe(
      true,
    );
    expect(run('C.UTF-8')).toMatch(/^┌─ mapbr ─+┐$/m);
    const json = JSON.parse(run('C', '--json')) as Board;
    expect(json.bridges.map(({ name }) => name)).toContain('mapbr');
    const picture = run('C', '--svg', '-');
    expect(picture).toContain('>mapbr</tspan>');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
