import { expect, test } from 'vitest';
import { rulesNaming } from '../../../../src/plan/bridge/wall.ts';
import { parseSets } from '../../../../src/plan/bridge/wall-set.ts';
import { parseRuleset } from '../../../../src/plan/firewall/ruleset.ts';

/** As `nft -a list ruleset` prints it. */
const cures = (...rules: readonly string[]): readonly string[] => {
  const lines = rules.map((rule, index) => `\t\t${rule} # handle ${index + 3}\n`).join('');
  const head = '\t\ttype filter hook input priority filter; policy accept;\n';
  const text = `table inet g { # handle 1\n\tchain in { # handle 2\n${head}${lines}\t}\n}\n`;
  return curesIn(text);
};

const curesIn = (text: string): readonly string[] =>
  rulesNaming({ chains: parseRuleset(text), sets: parseSets(text) }, 'eth7', 'br0').map(({ cure }) => cure);

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

/** As nft 1.0.6 prints it. */
const SETS = `table inet g { # handle 1
	set lan { # handle 3
		type ifname
		elements = { "lo",
			     "eth7" }
	}

	set wild { # handle 4
		type ifname
		flags interval
		elements = { "eth*",
			     "lo" }
	}

	set pairs { # handle 5
		typeof iifname . tcp dport
		elements = { "eth7" . 22,
			     "eth7" . 443 comment "a, } b",
			     "br0" . 443,
			     "lo" . 80 comment "x" }
	}

	map way { # handle 6
		type ifname : verdict
		elements = { "lo" : accept,
			     "eth7" : jump office }
	}

	set dyn { # handle 7
		type ifname
		timeout 1h
		elements = { "eth7" timeout 30m expires 29m59s996ms }
	}

	set counted { # handle 8
		type ifname
		counter
		elements = { "eth7" counter packets 0 bytes 0 }
	}

	set both { # handle 9
		type ifname
		elements = { "eth7",
			     "br0" }
	}

	set index { # handle 10
		type iface_index
		elements = { "eth7" }
	}

	chain office { # handle 1
		accept # handle 9
	}

	chain in { # handle 2
		type filter hook input priority filter; policy drop;
RULES	}
}
`;

test.each([
  ['iifname @lan accept', `sudo nft add element inet g lan '{ "br0" }'`],
  ['iifname != @lan drop', `sudo nft add element inet g lan '{ "br0" }'`],
  ['tcp dport 22 iifname @wild accept', `sudo nft add element inet g wild '{ "br0" }'`],
  ['iifname . tcp dport @pairs accept', `sudo nft add element inet g pairs '{ "br0" . 22 }'`],
  ['iifname vmap @way', `sudo nft add element inet g way '{ "br0" : jump office }'`],
  ['iifname @dyn accept', `sudo nft add element inet g dyn '{ "br0" timeout 30m }'`],
  ['iifname @counted accept', `sudo nft add element inet g counted '{ "br0" }'`],
  [
    'iif @index tcp dport 22 accept',
    `sudo nft add rule inet g in position 12 'iifname "br0" tcp dport 22 accept'`,
  ],
  ['iif != @index drop', `sudo nft replace rule inet g in handle 12 'iifname != "br0" iif != @index drop'`],
  ['iifname vmap { "lo" : accept, "eth7" : jump office }', undefined],
  ['iifname @both accept', undefined],
  ['ip saddr @lan accept', undefined],
])('named sets: %s', (rule, cure) => {
  const text = SETS.replace('RULES', `\t\t${rule} # handle 12\n`);
  if (cure !== undefined) expect(curesIn(text)).toEqual([cure]);
  else expect(curesIn(text).filter((one) => one.includes('element'))).toEqual([]);
});

test('one cure for all the rules that use a set; one of another table is another one', () => {
  const rules = ['iifname @lan accept', 'oifname @lan accept'].map(
    (one, n) => `\t\t${one} # handle ${n + 12}\n`,
  );
  const text = SETS.replace('RULES', rules.join(''));
  expect(curesIn(text)).toHaveLength(1);
  const other = `${text}table ip h {\n\tchain in {\n\t\tiifname @lan drop # handle 3\n\t}\n}\n`;
  expect(curesIn(other)).toHaveLength(1);
  const two = SETS.replace('RULES', '\t\tiifname @lan oifname @wild accept # handle 12\n');
  expect(curesIn(two)).toHaveLength(2);
});
