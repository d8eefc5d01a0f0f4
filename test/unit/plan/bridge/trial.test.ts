import { expect, test } from 'vitest';
import { leastTrialS, trialFor } from '../../../../src/plan/bridge/trial.ts';

test('a trial is longer than the silence of STP, and than a network manager may take, or both', () => {
  const stp = { stp: true, delayS: 2 };
  const least = [leastTrialS({}, 0), leastTrialS(stp, 0), leastTrialS({}, 30), leastTrialS(stp, 90)];
  expect(least).toEqual([0, 19, 45, 109]);
});

test('where nothing is typed it is as long as it must be; less is refused with what it has to be', () => {
  const of = (asked: number | 'usual' | undefined) => trialFor('eth0', asked, 105, 90);
  expect([of('usual'), trialFor('eth0', 'usual', 45, 30), of(105), of(undefined)]).toEqual([
    105,
    60,
    105,
    undefined,
  ]);
  expect(() => of(60)).toThrow(
    expect.objectContaining({ why: [expect.stringMatching(/may take 90 s .*write 105s or more/)] }),
  );
});
