import { expect, test } from 'vitest';
import { type LeftPlan, leavePlan, leftPlanName, readLeftPlan } from '../../../../src/plan/hook/left.ts';

const NETNS = 'net:[4026531840]';
const plan: LeftPlan = { v: 1, ifname: 'tap1', netns: NETNS, bridge: 'br0', mtu: 1400, vm: 'web' };

test('what is left is found again, under a name that says which interface where', () => {
  const [, file] = leavePlan(plan, '/run/qlaunch');
  if (file === undefined || !('file' in file.do)) throw new Error('no file');
  expect(file.do).toMatchObject({ file: '/run/qlaunch/ifup/tap1.4026531840', mode: 0o600 });
  expect(readLeftPlan(file.do.content, 'tap1', NETNS)).toEqual(plan);
});

test('what is for another interface, another namespace or another version is not believed', () => {
  const text = JSON.stringify(plan);
  expect(readLeftPlan(text, 'tap2', NETNS)).toBeUndefined();
  expect(readLeftPlan(text, 'tap1', 'net:[1]')).toBeUndefined();
  expect(readLeftPlan(text.replace('"v":1', '"v":2'), 'tap1', NETNS)).toBeUndefined();
  expect(readLeftPlan(text.replace('br0', 'br 0'), 'tap1', NETNS)).toBeUndefined();
  expect(readLeftPlan(text.slice(1), 'tap1', NETNS)).toBeUndefined();
});

test('a name with odd bytes becomes a file name all the same', () => {
  expect(leftPlanName('täp@1', NETNS)).toBe('x-74c3a4704031.4026531840');
  expect(leftPlanName('.tap', NETNS)).toBe('x-2e746170.4026531840');
});
