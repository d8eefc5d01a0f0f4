/** The README's comparison with libvirt is the one that test/netns/nat/parity.test.ts measures. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DIFFERENCES, expectedAnswers, expectedWays, renderParity } from '../../netns/nat/parity/table.ts';

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
  const all = (side: 'libvirt' | 'qlaunch'): readonly string[] => [
    ...Object.values(expectedWays(side)).flat(),
    ...Object.values(expectedAnswers(side)),
  ];
  const [libvirt, ours] = [all('libvirt'), all('qlaunch')];
  const listed = DIFFERENCES.flatMap((one) => Object.keys(one.ours));
  expect(libvirt.filter((value, n) => value !== ours[n])).toHaveLength(listed.length);
  expect(new Set(listed).size).toBe(listed.length);
});
