/** The README's comparison with libvirt is the one that test/netns/nat/parity.test.ts measures. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DIFFERENCES, expectedWays, renderParity } from '../../netns/nat/parity/table.ts';

const README = new URL('../../../README.md', import.meta.url).pathname;
const WRITTEN = /(<!-- Written by: .*parity\.test\.ts -->\n)([\s\S]*?)(<!-- End of what is written\. -->)/;

test('the README has the comparison with libvirt as it is measured', () => {
  const text = readFileSync(README, 'utf8');
  const wanted = `\n${renderParity()}\n\n`;
  if (process.env['UPDATE'] !== undefined)
    writeFileSync(
      README,
      text.replace(WRITTEN, (_all, before: string, _old, after: string) => `${before}${wanted}${after}`),
    );
  expect(WRITTEN.exec(readFileSync(README, 'utf8'))?.[2]).toBe(wanted);
});

test('what is listed as different differs, and is measured', () => {
  const [libvirt, ours] = [expectedWays('libvirt'), expectedWays('qlaunch')];
  const cells = Object.keys(libvirt).flatMap((row) =>
    (libvirt[row] ?? []).map((value, n) => [value, ours[row]?.[n]]),
  );
  const listed = DIFFERENCES.flatMap((one) => Object.keys(one.ours));
  expect(cells.filter(([a, b]) => a !== b)).toHaveLength(listed.length);
  expect(new Set(listed).size).toBe(listed.length);
});
