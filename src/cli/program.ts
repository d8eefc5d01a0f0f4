/** Every command with its options and help. What a command does is loaded only when it is called. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { EXIT } from '../errors.ts';
import { registerAcl } from './acl.ts';
import { registerBridge } from './bridge.ts';
import { registerDisk } from './disk.ts';
import { registerDoctor } from './doctor.ts';
import { registerForward } from './forward.ts';
import { registerMap } from './map.ts';
import { registerNet } from './net.ts';
import { addVmOptions } from './options.ts';
import { registerIp } from './reach.ts';
import { registerTap } from './tap.ts';
import { raw } from './terminal.ts';
import { registerVfio } from './vfio.ts';

declare const QLAUNCH_VERSION: string;

export interface Session {
  /** The command that is called: only its options are made, which is half of the time that all take. */
  readonly called: string;
  /** QEMU's own arguments, from behind `--`. */
  readonly extra: readonly string[];
  /** /proc/locks, asked for early. */
  readonly procLocks: Promise<string>;
  /** Takes the exit status of the command that ran. */
  done(status: number): void;
}

/** Every command's name; a test holds it against the tree. */
export const COMMANDS: readonly string[] = [
  ...['run', 'install', 'ps', 'stop', 'kill', 'wait', 'ip', 'ssh', 'forward', 'console', 'logs', 'qmp'],
  ...['disk', 'config', 'net', 'acl', 'bridge', 'tap', 'vfio', 'map', 'doctor'],
  ...['changes', 'undo', 'recover', 'confirm', 'install-hooks'],
];

const EXAMPLES = `
Examples:
  qlaunch vm.qcow2                          boot a disk on the default (user) network
  qlaunch vm.qcow2 --net user,fwd=2222:22   … and reach its ssh with: ssh -p 2222 127.0.0.1
  qlaunch web.ini -d                        boot a profile in the background
  qlaunch vm.qcow2 --dry-run                print what would be run
  qlaunch vm.qcow2 -- -device edu           anything behind -- goes to QEMU as it is

Exit status: 0 ok, 1 a bug in qlaunch, 2 usage or description, 3 refused by a check or findings,
             4 the host or QEMU refused, 5 stuck or timed out, 6 done with left-overs.`;

export function program(session: Session): Command {
  const root = new Command('qlaunch')
    .description('Run QEMU with the network it needs. No daemon.')
    .usage('IMAGE|PROFILE|COMMAND [options] [-- QEMU-OPTION…]')
    .version(QLAUNCH_VERSION, '-V, --version')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .configureOutput({
      writeOut: raw,
      outputError: (text, write) => write(text.replace(/^error: /, 'qlaunch: ')),
    })
    .showSuggestionAfterError();
  runCommands(root, session);
  vmCommands(root, session);
  descriptionCommands(root, session);
  changeCommands(root, session);
  root.addHelpText('after', EXAMPLES);
  nameHelp(root, ['qlaunch', 'help']);
  return root;
}

/** A mistake in the use of a command is answered by that command's own help. */
function nameHelp(command: Command, words: readonly string[]): void {
  command.showHelpAfterError(`  try:     ${words.join(' ')}`);
  for (const sub of command.commands) nameHelp(sub, [...words, sub.name()]);
}

function runCommands(root: Command, { called, extra, procLocks, done }: Session): void {
  root.commandsGroup('Start a VM:');
  const run = root
    .command('run [image]')
    .usage('[options] [image] [-- QEMU-OPTION…]')
    .summary('boot a disk image or a profile (the word `run` may be left out)')
    .description('Boot IMAGE (a disk) or PROFILE (NAME.ini). Without --net the guest gets a `user` network.');
  if (called === 'run') addVmOptions(run);
  run
    .option('-d, --detach', 'return when QEMU runs and answers; the guest goes on')
    .option('--daemonize', 'the same, as QEMU spells it')
    .option('--run-as <user>', 'run QEMU as this user (needs root)')
    .option(
      '--fix',
      'first do the cures that qlaunch can do for the bridge helper (needs root; can be undone)',
    )
    .option('--dry-run', 'print the host steps and the QEMU command, and do nothing')
    .option('--json', 'print the result (with --dry-run: the plan) as JSON')
    .option('-v, --verbose', 'say what is decided and why')
    .action(async (image, options) =>
      done(await (await import('./run.ts')).run(image, options, { extra, procLocks })),
    );
  const install = root
    .command('install')
    .summary('make a disk, boot an installer CD once, then the disk')
    .description('Make a new disk, boot the CD once and the disk from then on: virt-install in one line.');
  if (called === 'install') addVmOptions(install);
  install
    .requiredOption('--size <size>', 'size of the new disk, e.g. 8G')
    .option('--force', 'overwrite the disk when it is there already')
    .option('-d, --detach', 'return when QEMU runs and answers')
    .option('--daemonize', 'the same, as QEMU spells it')
    .option('--run-as <user>', 'run QEMU as this user (needs root)')
    .option('--dry-run', 'print what would be run')
    .option('--json', 'print the result as JSON')
    .option('-v, --verbose', 'say what is decided and why')
    .action(async (options) =>
      done(await (await import('./install.ts')).install(options, { extra, procLocks })),
    );
}

function vmCommands(root: Command, { done }: Session): void {
  root.commandsGroup('VMs:');
  root
    .command('ps')
    .summary('list VMs, also ended ones with the reason')
    .description(
      'List the VMs of this boot. An ended one stays listed, with its logs, until --clean or until its name is used again.',
    )
    .option('--json', 'one object per VM')
    .option('--clean', 'forget your ended VMs and their logs')
    .option('--all-users', 'with --clean: also those of other users (root)')
    .action(async (options) => done(await (await import('./ps.ts')).ps(options)));
  root
    .command('stop <name...>')
    .summary('shut guests down politely')
    .description('Press the power button; when the guest does not listen, tell QEMU to quit; then kill it.')
    .option('--timeout <seconds>', 'for the guest to power off', seconds, 30)
    .option('--json', 'how each ended, as JSON')
    .action(async (names, options) => done(await (await import('./vm.ts')).stop(names, options)));
  root
    .command('kill <name...>')
    .description('kill QEMU at once')
    .option('--json', 'how each ended, as JSON')
    .action(async (names, options) => done(await (await import('./vm.ts')).kill(names, options)));
  root
    .command('wait <name>')
    .summary('wait until a VM has ended')
    .description(
      'Wait until a VM has ended. Status 0 when it was shut down, 4 when QEMU failed or was killed.',
    )
    .option('--timeout <seconds>', 'give up (status 5) after', seconds)
    .option('--json', 'how it ended, as JSON')
    .action(async (name, options) => done(await (await import('./vm.ts')).wait(name, options)));
  registerIp(root, done);
  registerForward(root, done);
  root
    .command('console <name>')
    .summary('the guest’s serial line on this terminal; leave with Ctrl-]')
    .description(
      'Attach to the serial line of a VM that was started with -d or --serial socket. Leave with Ctrl-].',
    )
    .action(async (name) => done(await (await import('./vm.ts')).consoleOf(name)));
  root
    .command('logs <name>')
    .summary('what QEMU said and what the guest printed')
    .description('Print QEMU’s messages and the guest’s serial output; both are kept after the end.')
    .option('-f, --follow', 'go on until the VM ends')
    .option('--qemu', 'QEMU’s messages only')
    .option('--serial', 'the guest’s serial line only')
    .addOption(new Option('--json', 'one object: { qemu, serial }').conflicts('follow'))
    .action(async (name, options) => done(await (await import('./vm.ts')).logs(name, options)));
  root
    .command('qmp <name> <command> [arguments]')
    .summary('send a QMP command and print the reply')
    .description('Send one QMP command, e.g. `qlaunch qmp web query-status`; ARGUMENTS is a JSON object.')
    .action(async (name, command, text) =>
      done(await (await import('./vm.ts')).qmp(name, command, await jsonObject(text))),
    );
}

function descriptionCommands(root: Command, { called, extra, done }: Session): void {
  root.commandsGroup('Descriptions and disks:');
  registerDisk(root, done);
  const config = root.command('config').description('what a VM is made of');
  const show = config
    .command('show [image]')
    .description(
      'Print every value of a VM and where it comes from: command line, profile, user configuration or default.',
    );
  if (called === 'config') addVmOptions(show);
  show
    .option('--json', 'an array of { key, value, from }')
    .action(async (image, options) => done((await import('./config.ts')).show(image, options, extra)));
}

function changeCommands(root: Command, session: Session): void {
  const { done } = session;
  root.commandsGroup('The host:');
  registerNet(root, done);
  registerAcl(root, session);
  registerBridge(root, done);
  registerTap(root, done);
  registerVfio(root, done);
  registerMap(root, done);
  registerDoctor(root, done);
  root
    .command('changes')
    .summary('what is changed on this host, by whom, and how to undo it')
    .description(
      'List the changes to this host that are open: whose they are, since when, how long they stay.',
    )
    .option('--json', 'one object per change')
    .action(async (options) => done((await import('./changes.ts')).changes(options)));
  root
    .command('undo <id>')
    .description('take back one change (see `qlaunch changes`)')
    .option('--forget', 'forget it and take nothing back: what it left on the host stays')
    .option('--dry-run', 'print what would be taken back, and do nothing')
    .option('--json', 'what was taken back and what is left')
    .action(async (id, options) => done(await (await import('./changes.ts')).undo(id, options)));
  root
    .command('recover')
    .summary('take back what a killed qlaunch or VM left on this host')
    .description(
      'Take back every change whose maker and user are dead. What a living one needs is left alone.',
    )
    .option('--dry-run', 'print what would be taken back, and do nothing')
    .option('--json', 'what was taken back and what is left')
    .action(async (options) => done(await (await import('./changes.ts')).recover(options)));
  root
    .command('confirm <id>')
    .description('keep a change that was made with --confirm and would undo itself')
    .action(async (id) => done(await (await import('./changes.ts')).confirm(id)));
  root
    .command('install-hooks')
    .summary('make qemu-ifup and qemu-ifdown the scripts that every QEMU runs for its taps')
    .description(
      'Put qemu-ifup and qemu-ifdown into /etc, where QEMU looks for the scripts of a tap, and keep what was there.',
    )
    .option('--prefix <dir>', 'the prefix QEMU was built with: DIR/etc instead of /etc')
    .option('--uninstall', 'put back what was there before')
    .option('--dry-run', 'print what would be written, or put back, and do nothing')
    .option('--json', 'print the result (with --dry-run: the plan) as JSON')
    .action(async (options) => done(await (await import('./install-hooks.ts')).installHooksCommand(options)));
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Write a number of seconds.');
  return value;
}

async function jsonObject(text: string | undefined): Promise<Record<string, never> | undefined> {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, never>;
  } catch {
    // Told below, like every other text that is not an object.
  }
  const { QlaunchError } = await import('../errors.ts');
  throw new QlaunchError('QL_USAGE', EXIT.usage, {
    what: 'the arguments are not a JSON object',
    why: [text],
    todo: [`qlaunch qmp web set_link '{"name":"net0","up":false}'`],
  });
}
