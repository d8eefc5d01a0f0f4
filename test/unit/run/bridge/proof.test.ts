import { expect, test } from 'vitest';
import { type Before, disproof } from '../../../../src/run/bridge/proof.ts';
import { fakeHost } from '../../../fake-host.ts';

test.each([
  ['the session was over the NIC', { peer: '192.0.2.9' }, { br0: true, eth1: false, eth0: false }],
  [
    'the session was over another NIC',
    { elsewhere: { peer: '192.0.2.9', link: 'eth1' } },
    { br0: false, eth1: true, eth0: false },
  ],
  ['there was none', {}, { br0: true, eth1: true }],
] as const)('the way to the session is what it was: %s', async (_what, more, ways) => {
  const before: Before = { gateways: [], dns: [], ...more };
  for (const [way, isProven] of Object.entries(ways)) {
    const { machine } = fakeHost();
    const answers = async (argv: readonly string[]) => ({
      ...{ status: 0, signal: null, stderr: '', timedOut: false },
      stdout: argv.includes('get') ? `[{"dev":"${way}"}]` : ' bridge_slave state forwarding ',
    });
    const wrong = await disproof({ ...machine, run: answers }, before, 'br0', 'eth0');
    expect({ way, wrong }).toEqual({
      way,
      wrong: isProven ? [] : [`the way to your session (192.0.2.9) leads over ${way}`],
    });
  }
});
