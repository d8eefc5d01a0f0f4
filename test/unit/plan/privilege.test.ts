import { expect, test } from 'vitest';
import { putFile } from '../../../src/plan/files.ts';
import { rootSteps } from '../../../src/plan/privilege.ts';
import { IPV4_FORWARD, shareAttribute } from '../../../src/plan/sysctl.ts';

test('only what changes the host itself needs root', () => {
  const steps = [
    shareAttribute(IPV4_FORWARD, '1', 'let the host route IPv4'),
    putFile({ path: '/etc/a', content: '' }),
    putFile({ path: '/home/u/.config/qlaunch/a', content: '' }),
    putFile({ path: '/home/user/a', content: '' }),
  ];
  const titles = rootSteps({ steps }, '/home/u').map((step) => step.title);
  expect(titles).toEqual(['let the host route IPv4', 'write /etc/a', 'write /home/user/a']);
});
