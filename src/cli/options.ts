/** The options that describe a VM, from the one key table (spec/keys.ts). */
import { type Command, Option } from 'commander';
import { KEYS } from '../spec/keys.ts';

const collect = (value: string, all: readonly string[] | undefined): readonly string[] => [
  ...(all ?? []),
  value,
];

/** Values stay text: spec/ parses them, so that a mistake on the command line reads like one in a file. */
export function addVmOptions(command: Command): void {
  command.optionsGroup('The VM:');
  for (const key of KEYS) {
    for (const [index, flags] of key.flags.entries()) {
      const option = new Option(flags, index === 0 ? help(key) : `without ${key.name}`);
      if (key.repeatable) option.argParser(collect);
      command.addOption(option);
    }
  }
  command.optionsGroup('How to run it:');
}

function help(key: (typeof KEYS)[number]): string {
  const choices = key.choices === undefined ? '' : ` (${key.choices.join(', ')})`;
  return `${key.doc}${choices}${key.default === undefined ? '' : ` [${key.default}]`}`;
}
