import { FakeWorld } from '../fake-engine.ts';
import { FakePci } from '../fake-pci.ts';
import { pciContract } from '../pci-contract.ts';

pciContract('the fake bus', async () => {
  const address = '0000:01:00.0';
  const tree = `iommu DMAR\n${address} 8086:10d3 020000 group=14 driver=e1000e net=eth1`;
  const { machine } = new FakePci(tree, new FakeWorld().host.machine);
  return { machine, address, native: 'e1000e', foreign: 'other', group: '14' };
});
