import { expect, test } from 'vitest';
import { parseSelector } from '../../../../src/spec/vfio/selector.ts';

test.each([
  ['81:00.0', { kind: 'address', address: '0000:81:00.0' }],
  ['0000:AF:1F.7', { kind: 'address', address: '0000:af:1f.7' }],
  ['10000:e1:00.0', { kind: 'address', address: '10000:e1:00.0' }],
  ['pci_0000_81_00_0', { kind: 'address', address: '0000:81:00.0' }],
  ['/sys/bus/pci/devices/0000:81:00.0', { kind: 'address', address: '0000:81:00.0' }],
  ['81:00.*', { kind: 'slot', slot: '0000:81:00' }],
  ['ens1f0', { kind: 'netdev', name: 'ens1f0' }],
  ['mac:AA-bb-cc-00-00-02', { kind: 'mac', mac: 'aa:bb:cc:00:00:02' }],
  ['id:8086:1572', { kind: 'id', ids: ['8086', '1572'] }],
  ['id:8086:1572:8086:0001#2', { kind: 'id', ids: ['8086', '1572', '8086', '0001'], nth: 2 }],
  ['ens1f0/vf3', { kind: 'vf', index: 3, pf: { kind: 'netdev', name: 'ens1f0' } }],
  ['81:00.0/vf', { kind: 'vf', pf: { kind: 'address', address: '0000:81:00.0' } }],
])('%s', (text, wanted) => {
  expect(parseSelector(text, 'SEL')).toMatchObject(wanted);
});

test.each([
  ['81:20.0', 'write 0000:81:00.0'],
  ['81:00:1', 'write 81:00.1'],
  ['81:00', 'write 81:00.0 for the first function, 81:00.* for all'],
  ['8086:1572', 'write id:8086:1572'],
  ['id:808:1', 'write id:8086:1572'],
  ['mac:01:00:5e:00:00:01', undefined],
  ['a b', 'write 0000:81:00.0'],
  ['', 'write 0000:81:00.0'],
])('%s names nothing, and what to write instead is said', (text, hint) => {
  const problem = parseSelector(text, 'SEL');
  expect(problem).toMatchObject({ at: 'SEL', what: expect.any(String) });
  if (hint !== undefined) expect(problem).toMatchObject({ hint: expect.stringContaining(hint) });
});
