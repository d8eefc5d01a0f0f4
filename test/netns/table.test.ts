// needs: nft_nat
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { linuxMachine } from '../../src/host/linux.ts';
import type { Step } from '../../src/plan/step.ts';
import { IPV4_FORWARD, shareAttribute } from '../../src/plan/sysctl.ts';
import { apply } from '../../src/run/apply.ts';
import { otherForwarders } from '../../src/run/change/forwarders.ts';
import type { Engine } from '../../src/run/engine.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { release } from '../../src/run/recover.ts';
import { differences, snapshot } from '../snapshot.ts';
import { LIFETIME } from './plans.ts';
import { makeTree, type Tree } from './tree.ts';

let tree: Tree;
let engine: Engine;
beforeEach(() => {
  tree = makeTree();
  engine = openEngine({ tool: 'qlaunch test', env: tree.env });
});
afterEach(() => {
  execFileSync('nft', ['flush', 'ruleset']);
  writeFileSync(IPV4_FORWARD, '0');
  tree.remove();
});

const nft = (text: string): void => void execFileSync('nft', ['-f', '-'], { input: text });
const NAT = 'chain post { type nat hook postrouting priority srcnat; masquerade; };';
const COMMENT = 'qlaunch:vm/test:1a2b3c4d5e6f';
const table: Step = {
  title: 'make the table inet ql',
  do: { run: ['nft', '-f', '-'], stdin: `table inet ql { comment "${COMMENT}"; ${NAT} }\n` },
  undo: { run: ['nft', 'delete', 'table', 'inet', 'ql'], gone: ['No such file or directory'] },
  owns: { nft: 'inet ql', comment: COMMENT },
  deadlineMs: 5_000,
};
const make = (steps: readonly Step[]): Promise<unknown> =>
  apply(engine, { title: 'test', lifetime: LIFETIME }, () => ({ steps }));

test('a table of ours goes, one of a stranger under the same name stays', async () => {
  const before = snapshot({ files: [] });
  await make([table]);
  expect(await release(engine, LIFETIME)).toMatchObject({ left: [], said: [] });
  expect(differences(before, snapshot({ files: [] }))).toEqual([]);
  await make([table]);
  nft('delete table inet ql; table inet ql { comment "mine"; }');
  expect(await release(engine, LIFETIME)).toMatchObject({
    left: [],
    said: ['left alone, it is not ours any more: table inet ql is marked "mine"'],
  });
  expect(execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' })).toBe('table inet ql\n');
});

test('forwarding stays on for somebody else who rewrites addresses, not for us', async () => {
  const machine = linuxMachine();
  await make([table, shareAttribute(IPV4_FORWARD, '1', 'let the host route IPv4')]);
  // firewalld asks whether somebody has, in every ruleset.
  const asks =
    'type filter hook forward priority filter; ct status dnat accept; ct status { snat, dnat } accept;';
  nft(`table inet firewalld { chain in { ${asks} }\n}`);
  nft(
    'table ip nat { chain ql-0123456789ab-nat { masquerade; }; chain qlaunch_fwd_0123456789ab-own { ip daddr 192.0.2.1 dnat to 192.0.2.2; }\n}',
  );
  expect(await otherForwarders(machine)).toEqual([]);
  nft(`table ip other { ${NAT} }`);
  expect(await otherForwarders(machine)).toEqual(['nft table ip other']);
  expect((await release(engine, LIFETIME)).said).toEqual([
    `left at 1: ${IPV4_FORWARD} is needed by nft table ip other`,
  ]);
  expect(readFileSync(IPV4_FORWARD, 'utf8')).toBe('1\n');
});
