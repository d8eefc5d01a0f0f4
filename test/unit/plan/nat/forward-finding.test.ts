import { expect, test } from 'vitest';
import { forwardFinding } from '../../../../src/plan/nat/forward-finding.ts';

const WEB = { network: 'lab', vm: 'web' };
const FORWARD = { proto: 'tcp', address: '0.0.0.0', hostPort: 22, guestPort: 22 };

test('a forward that was made and is gone can be had again; one that a user only wrote down is offered to nobody', () => {
  const lost = forwardFinding({ ...WEB, forward: FORWARD, selector: '1000/web' });
  expect(lost).toMatchObject({ state: 'problem', about: 'lab' });
  expect(lost.cure).toEqual([
    'sudo qlaunch net check lab --fix',
    'sudo qlaunch forward add 1000/web tcp:0.0.0.0:22:22',
  ]);
  const claimed = forwardFinding({ ...WEB, forward: FORWARD });
  expect(claimed).toMatchObject({ state: 'warning', fact: expect.stringContaining('was never made') });
  expect(JSON.stringify(claimed)).not.toContain('sudo');
});

test('nothing in a line for root is anything but a word', () => {
  const forward = { ...FORWARD, address: '0.0.0.0;touch /tmp/x;#' };
  const { cure } = forwardFinding({ ...WEB, forward, selector: '/run/user/1000/qlaunch/a b' });
  expect(cure?.at(-1)).toBe(
    "sudo qlaunch forward add '/run/user/1000/qlaunch/a b' 'tcp:0.0.0.0;touch /tmp/x;#:22:22'",
  );
});
