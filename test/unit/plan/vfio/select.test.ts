import { expect, test } from 'vitest';
import { select } from '../../../../src/plan/vfio/select.ts';
import { isProblem } from '../../../../src/spec/raw.ts';
import { parseSelector } from '../../../../src/spec/vfio/selector.ts';
import { factsOf, nic } from '../../../golden/vfio/look.ts';
import { DUAL_PORT, SWITCHDEV, USB_NIC } from '../../../golden/vfio/machines.ts';

const LINKS = [
  nic('enp1s0f0', { address: '02:00:00:00:00:99', permaddr: '02:00:00:00:00:10', master: 'bond0' }),
  nic('enp1s0f1', { address: '02:00:00:00:00:11', altnames: ['storage0'] }),
  nic('bond0', { address: '02:00:00:00:00:99', linkinfo: { info_kind: 'bond' } }),
  nic('eth0'),
  nic('enx0011'),
  nic('ens1f0np0'),
];

let machine: ReturnType<typeof factsOf> | undefined;

async function addresses(text: string, known?: ReadonlyMap<string, string>): Promise<readonly string[]> {
  machine ??= factsOf(DUAL_PORT + USB_NIC + SWITCHDEV, { links: LINKS });
  const facts = await machine;
  const selector = parseSelector(text, 'SEL');
  if (isProblem(selector)) throw new Error(selector.what);
  return select(selector, facts, known).map(({ address }) => address);
}

test.each([
  ['1:0.0', ['0000:01:00.0']],
  ['01:00.*', ['0000:01:00.0', '0000:01:00.1']],
  ['enp1s0f0', ['0000:01:00.0']],
  ['storage0', ['0000:01:00.1']],
  ['eth0', ['0000:03:00.0']],
  // The bond shows its own address on its ports: the permanent one counts.
  ['mac:02:00:00:00:00:10', ['0000:01:00.0']],
  ['id:8086:1521#1', ['0000:01:00.1']],
  ['id:8086:a36d', ['0000:00:14.0']],
  ['ens1f0np0/vf1', ['0000:81:00.3']],
])('%s', async (text, wanted) => {
  expect(await addresses(text)).toEqual(wanted);
});

test.each([
  ['ens1f0np0/vf5', 'qlaunch vfio vf list 0000:81:00.0'],
  ['enp1s0f0/vf0', 'qlaunch vfio list'],
])('what is told to type for %s is not refused in its turn', async (text, line) => {
  await expect(addresses(text)).rejects.toMatchObject({ todo: [line] });
});

test('a name that went away with the driver is known from what was written down', async () => {
  expect(await addresses('eth9', new Map([['eth9', '0000:01:00.1']]))).toEqual(['0000:01:00.1']);
});

test.each([
  ['id:8086:1521', 'QL_AMBIGUOUS', '0000:01:00.1'],
  ['ens1f0np0/vf', 'QL_AMBIGUOUS', 'it has 2 of 8'],
  ['ens1f0np0/vf5', 'QL_NO_DEVICE', 'it has 2 of 8'],
  ['02:00.0', 'QL_NO_DEVICE', 'the PCI NICs of this host'],
  ['eth9', 'QL_NO_DEVICE', 'enp1s0f0'],
  ['bond0', 'QL_NOT_PCI', 'its ports: enp1s0f0'],
  ['enx0011', 'QL_NOT_PCI', 'controller of everything plugged in'],
  ['mac:02:00:00:00:00:99', 'QL_NO_DEVICE', 'the PCI NICs of this host'],
])('%s is refused with %s', async (text, code, why) => {
  await expect(addresses(text)).rejects.toMatchObject({
    code,
    why: expect.arrayContaining([expect.stringContaining(why)]),
  });
});
