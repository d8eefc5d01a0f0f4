import { expect, test } from 'vitest';
import { askJson } from '../../../src/host/ip-json.ts';
import { linuxMachine } from '../../../src/host/linux.ts';
import { installLine } from '../../../src/plan/packages.ts';

test('a program that is not there: the package that has it', async () => {
  await expect(askJson(linuxMachine(), ['no-such-ip', '-j', 'link'])).rejects.toMatchObject({
    why: ['there is no program no-such-ip in PATH'],
    todo: [installLine(['no-such-ip'])],
  });
  expect(installLine(['ip', 'bridge', 'nft'])).toMatch(/^sudo apt install iproute2 nftables {3}#/);
});
