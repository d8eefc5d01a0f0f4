/** From an argument vector to an exit status: the one catch of the program. */
import { type Command, CommanderError } from 'commander';
import { EXIT, QlaunchError } from '../errors.ts';
import { readProcLocks } from '../host/qemu/image/lock-list.ts';
import { didYouMean } from '../spec/did-you-mean.ts';
import { COMMANDS, program } from './program.ts';
import { fail } from './terminal.ts';

const GLOBAL: ReadonlySet<string> = new Set(['-h', '--help', '-V', '--version', 'help']);

/** What virsh calls them: its users type it by habit. */
const VIRSH: Readonly<Record<string, string>> = {
  'net-autostart': 'autostart',
  'net-define': 'define',
  'net-destroy': 'stop',
  'net-dhcp-leases': 'leases',
  'net-dumpxml': 'dumpxml',
  'net-edit': 'edit',
  'net-info': 'info',
  'net-list': 'list',
  'net-start': 'start',
  'net-undefine': 'undefine',
};

/** `qlaunch IMAGE …` is `qlaunch run IMAGE …`: whatever is neither a command nor help is something to run. */
export function expandShorthand(argv: readonly string[]): readonly string[] {
  const [first] = argv;
  if (first === undefined) return ['help'];
  const asVirsh = VIRSH[first];
  if (asVirsh !== undefined) return ['net', asVirsh, ...argv.slice(1)];
  return GLOBAL.has(first) || COMMANDS.includes(first) ? argv : ['run', ...argv];
}

export async function main(argv: readonly string[]): Promise<number> {
  let status: number = EXIT.ok;
  const all = expandShorthand(argv);
  const called = (all[0] === 'help' ? all[1] : all[0]) ?? '';
  // Where a VM is described, everything behind `--` is QEMU's and never looked at by the option parser.
  const end = ['run', 'install', 'config'].includes(called) ? all.indexOf('--') : -1;
  const [words, extra] = end < 0 ? [all, []] : [all.slice(0, end), all.slice(end + 1)];
  // What is only printed takes no lock, and need not wait for those of others.
  const starts = (called === 'run' || called === 'install') && !words.includes('--dry-run');
  const root = program({
    called,
    extra,
    // The kernel takes 8 ms to open the list; meanwhile the rest of the program is loaded.
    procLocks: starts ? readProcLocks() : Promise.resolve(''),
    done: (code) => {
      status = code;
    },
  });
  try {
    if (words[0] === 'help') return help(root, words.slice(1));
    await root.parseAsync([...words], { from: 'user' });
    return status;
  } catch (error) {
    // Commander has printed its message already; --help and --version end in here with status 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return fail(withSuggestion(error, argv[0] ?? '', COMMANDS));
  }
}

/** `help disk create`: commander knows one word only, and answers one it does not know with everything. */
function help(root: Command, words: readonly string[]): number {
  let command = root;
  for (const word of words.filter((text) => !text.startsWith('-') && text !== 'help')) {
    const next = command.commands.find((sub) => sub.name() === word);
    if (next === undefined) throw noCommand(command, word);
    command = next;
  }
  command.outputHelp();
  return EXIT.ok;
}

function noCommand(parent: Command, word: string): QlaunchError {
  const names = parent.commands.map((sub) => sub.name());
  const path = parent.parent === null ? 'qlaunch help' : `qlaunch help ${parent.name()}`;
  const near = didYouMean(word, names);
  return new QlaunchError('QL_USAGE', EXIT.usage, {
    what: `there is no command "${word}"`,
    ...(names.length === 0 ? {} : { why: [`known: ${names.join(', ')}`] }),
    todo: [near === undefined ? path : `${path} ${near}`],
  });
}

/** A mistyped command looks like something to run. */
function withSuggestion(error: unknown, word: string, commands: readonly string[]): unknown {
  if (!(error instanceof QlaunchError) || error.code !== 'QL_NOTHING_TO_RUN') return error;
  // `run` itself was understood.
  const near = commands.includes(word) ? undefined : didYouMean(word, commands);
  if (near === undefined) return error;
  const { code, exit, why, message: what } = error;
  return new QlaunchError(code, exit, { what, why, todo: [`qlaunch ${near}`] });
}
