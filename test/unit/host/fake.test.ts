import { contract } from '../../contract.ts';
import { fakeHost } from '../../fake-host.ts';

contract('the fake machine', () => ({
  machine: fakeHost().machine,
  directory: '/etc',
  end: () => undefined,
}));
