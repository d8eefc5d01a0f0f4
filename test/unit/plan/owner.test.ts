import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linkMac, ownerMark, tempLinkName } from '../../../src/plan/owner.ts';

const token = fc.stringMatching(/^[0-9a-f]{12}$/);
const index = fc.integer({ min: 0, max: 35 });

test('a random name fits into IFNAMSIZ and differs by index', () => {
  fc.assert(
    fc.property(token, index, index, (one, a, b) => {
      expect(tempLinkName(one, a).length).toBeLessThanOrEqual(15);
      expect(tempLinkName(one, a) === tempLinkName(one, b)).toBe(a === b);
    }),
  );
});

test('a MAC is unicast, locally administered, and differs by index', () => {
  fc.assert(
    fc.property(token, index, index, (one, a, b) => {
      expect(linkMac(one, a)).toMatch(/^02:71:6c(:[0-9a-f]{2}){3}$/);
      expect(linkMac(one, a) === linkMac(one, b)).toBe(a === b);
    }),
  );
});

test('a mark says whose it is, in words a batch can carry', () => {
  expect(ownerMark({ net: 'default' }, '1a2b3c4d5e6f')).toBe('qlaunch:net/default:1a2b3c4d5e6f');
  expect(ownerMark({ vm: `a "b" #'c\\` }, '1a2b3c4d5e6f')).not.toMatch(/[#"'\\\s]/);
});
