/**
 * What a QEMU can do, by asking it: `-netdev help`, `-device help`, `-display help`, `-help` and one QMP session
 * with `-machine none`. About 0.2 s, once per binary: the answer is cached by the binary's identity.
 */
import { readFileSync } from 'node:fs';
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Argv } from '../../plan/step.ts';
import type { Host, RunResult } from '../port.ts';
import { readBridgeHelper, readDevices, readNames } from './caps/answers.ts';
import { readCache, writeCache } from './caps/cache.ts';
import { OPTION_QUESTIONS, type QemuCaps, type QemuFeature, SCHEMA_QUESTIONS } from './caps/caps.ts';
import { commandsOf, readSchema, schemaHas } from './caps/schema.ts';
import { readSession, SESSION_ARGS, SESSION_INPUT } from './caps/session.ts';
import type { QemuBinary } from './find.ts';

/**
 * The cached answer, else a new one (then cached). `runAs`: in front of QEMU's argv when it runs as another user, whose
 * profile may have named any program. Errors: QL_QEMU_ASK.
 */
export async function qemuCaps(
  host: Pick<Host, 'run'>,
  qemu: QemuBinary,
  runAs: readonly string[] = [],
): Promise<QemuCaps> {
  const known = readCache(qemu, runAs);
  if (known) return known;
  const caps = await askQemu(host, qemu, runAs);
  writeCache(qemu, caps, runAs);
  return caps;
}

/** Always runs QEMU. Errors: QL_QEMU_ASK with QEMU's own words. */
export async function askQemu(
  host: Pick<Host, 'run'>,
  qemu: QemuBinary,
  runAs: readonly string[] = [],
): Promise<QemuCaps> {
  const program = [...runAs, qemu.path];
  const ask = (...args: string[]): Promise<string> => answer(host, [...program, ...args] as unknown as Argv);
  const [netdevs, devices, displays, help, session] = await Promise.all([
    ask('-netdev', 'help'),
    ask('-device', 'help'),
    ask('-display', 'help'),
    ask('-help'),
    talk(host, program),
  ]);
  const replies = readSession(session);
  if (!replies) throw notQemu(qemu.path);
  const { qemu: version, package: packed } = replies.version;
  const schema = readSchema(replies.schema);
  const features = [
    ...SCHEMA_QUESTIONS.filter(([, path]) => schemaHas(schema, path)).map(([feature]) => feature),
    ...OPTION_QUESTIONS.filter(([, option, parameter]) =>
      replies.options.get(option)?.includes(parameter),
    ).map(([feature]) => feature),
  ];
  const bridgeHelper = readBridgeHelper(help);
  return {
    version: { major: version.major, minor: version.minor, micro: version.micro },
    package: packed,
    netdevs: new Set(readNames(netdevs).filter((name) => name !== 'passt' || replies.passt)),
    devices: new Set(readDevices(devices)),
    machines: new Set(replies.machines),
    accels: new Set(replies.accels),
    displays: new Set(readNames(displays)),
    commands: new Set(commandsOf(schema)),
    features: new Set<QemuFeature>(features),
    ...(bridgeHelper ? { bridgeHelper } : {}),
  };
}

/**
 * Into a file: a pipe takes 64 KiB, the schema is three times as long, and what has not been read yet when QEMU meets
 * `quit` is lost. A write to a file is never put off. The file is opened before the rights are given up.
 */
async function talk(host: Pick<Host, 'run'>, program: readonly string[]): Promise<string> {
  const { fileSync } = await import('../temporary.ts');
  const file = fileSync({ prefix: 'qlaunch-ask' });
  try {
    const into: Argv = ['/bin/sh', '-c', 'exec "$@" >"$0"', file.name, ...program, ...SESSION_ARGS];
    await answer(host, into, SESSION_INPUT);
    return readFileSync(file.name, 'utf8');
  } finally {
    file.removeCallback();
  }
}

async function answer(host: Pick<Host, 'run'>, argv: Argv, stdin?: string): Promise<string> {
  const result = await host.run(argv, { timeoutMs: 20_000, ...(stdin === undefined ? {} : { stdin }) });
  if (result.status === 0) return result.stdout;
  throw notAsked(argv, result);
}

function notAsked(argv: Argv, result: RunResult): QlaunchError {
  const ended = result.timedOut
    ? 'it did not end within 20 s'
    : `it ended with ${result.signal ?? result.status}`;
  return new QlaunchError('QL_QEMU_ASK', EXIT.host, {
    what: `cannot ask ${argv.find((word) => word.includes('qemu')) ?? argv[0]} what it can do`,
    why: [`${argv.join(' ')}: ${ended}`, ...result.stderr.trim().split('\n').filter(Boolean)],
  });
}

function notQemu(path: string): QlaunchError {
  return new QlaunchError('QL_QEMU_ASK', EXIT.host, {
    what: `cannot ask ${path} what it can do`,
    why: [`it does not answer query-version and query-qmp-schema on ${SESSION_ARGS.slice(-2).join(' ')}`],
  });
}
