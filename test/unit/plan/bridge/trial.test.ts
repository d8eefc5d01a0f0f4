import { expect, test } from 'vitest';
import { leastTrialS } from '../../../../src/plan/bridge/trial.ts';

test('a trial is longer than the silence of STP, and than a network manager may take, or both', () => {
  const stp = { stp: true, delayS: 2 };
  const least = [
    leastTrialS({}, false),
    leastTrialS(stp, false),
    leastTrialS({}, true),
    leastTrialS(stp, true),
  ];
  expect(least).toEqual([0, 19, 45, 49]);
});
