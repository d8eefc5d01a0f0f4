import { expect, test } from 'vitest';
import { rulesNaming } from '../../../../src/plan/bridge/wall.ts';
import { parseRuleset } from '../../../../src/plan/firewall/ruleset.ts';

/** As `nft -a list ruleset` prints it. */
const cures = (...rules: readonly string[]): readonly string[] => {
  const lines = rules.map((rule, index) => `\t\t${rule} # handle ${index + 3}\n`).join('');
  const head = '\t\ttype filter hook input priority filter; policy accept;\n';
  const text = `table inet g { # handle 1\n\tchain in { # handle 2\n${head}${lines}\t}\n}\n`;
  return rulesNaming(parseRuleset(text), 'eth7', 'br0').map(({ cure }) => cure);
};

test('the copy is made right behind the rule, not behind the final drop', () => {
  expect(
    cures('iifname "lo" accept', 'iif "eth7" tcp dport 22 counter packets 1 bytes 9 accept', 'drop'),
  ).toEqual([`sudo nft add rule inet g in position 4 'iifname "br0" tcp dport 22 accept'`]);
  expect(cures('iifname "et*" accept', 'iifname { "lo", "eth7" } accept', 'drop')).toEqual([
    `sudo nft add rule inet g in position 3 'iifname "br0" accept'`,
    `sudo nft add rule inet g in position 4 'iifname { "lo", "br0" } accept'`,
  ]);
  expect(cures('iifname . tcp dport { "eth7" . 22 } accept')).toEqual([
    `sudo nft add rule inet g in position 3 'iifname . tcp dport { "br0" . 22 } accept'`,
  ]);
});

test('a copy counts where it stands beside the rule, and not elsewhere', () => {
  const [own, copy] = ['iif "eth7" tcp dport 22 accept', 'iifname "br0" tcp dport 22 accept'];
  expect(cures(own, copy, 'drop')).toEqual([]);
  expect(cures(copy, own, 'drop')).toEqual([]);
  expect(cures(own, 'drop', copy)).toHaveLength(1);
  expect(cures('iifname { "lo", "eth7" } accept', 'iifname { "br0", "lo" } accept')).toEqual([]);
});

test('what is for both needs nothing; what is for all others is replaced', () => {
  expect(cures('iifname { "br0", "eth7" } accept', 'iifname "*" accept', 'iifname "eth8" drop')).toEqual([]);
  expect(cures('iifname != "eth7" drop')).toEqual([
    `sudo nft replace rule inet g in handle 3 'iifname != { "eth7", "br0" } drop'`,
  ]);
  expect(cures('iifname != { "eth7", "br0" } drop')).toEqual([]);
});
