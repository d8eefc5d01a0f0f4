/**
 * The golden cases, for the comparison here and for the vm tier, which gives the same text to real QEMUs.
 *
 * NAME.args is a command line in shell syntax behind `qlaunch`; its first line may be a comment with facts:
 * `# version=10.1 netdev=passt vhost-net ifname=net0:qt0 pci=net0:0000:81:00.0`. NAME.ini alone is `qlaunch NAME.ini`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { addVmOptions } from '../../../src/cli/options.ts';
import type { QemuCaps } from '../../../src/plan/qemu/caps.ts';
import { type QemuCommand, qemuCommand } from '../../../src/plan/qemu/command.ts';
import { runPaths } from '../../../src/plan/qemu/context.ts';
import type { Mac } from '../../../src/spec/mac.ts';
import { readPciAddress } from '../../../src/spec/pci-address.ts';
import { type IniText, readSources } from '../../../src/spec/sources.ts';
import { stableMacs } from '../../../src/spec/stable-mac.ts';
import { parseVmSpec } from '../../../src/spec/vm.ts';
import type { DiskFormat, VmSpec } from '../../../src/spec/vm-spec.ts';

const dir = new URL('.', import.meta.url).pathname;

/** The places in every golden text; the vm tier makes them, in a mount namespace. */
export const PLACES = { cwd: '/srv/vm', home: '/home/user', run: '/run/qlaunch/vm/1000' } as const;

export interface GoldenCase {
  readonly name: string;
  /** The command line behind `qlaunch`, as shell text. */
  readonly args: string;
  readonly spec: VmSpec;
  readonly command: QemuCommand;
  /** By disk id. */
  readonly formats: Readonly<Record<string, DiskFormat>>;
  /** By NIC id. */
  readonly macs: ReadonlyMap<string, Mac>;
  /** Where the expected text lies, and what it says. */
  readonly file: string;
  readonly expected: string | undefined;
}

export function goldenCases(): readonly GoldenCase[] {
  const names = readdirSync(dir).flatMap((file) => /^(.*)\.(?:args|ini)$/.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort().map(readCase);
}

function readCase(name: string): GoldenCase {
  const text = readOptional(`${name}.args`) ?? `${name}.ini\n`;
  const facts = readFacts(/^# (.*)\n/.exec(text)?.[1] ?? '');
  const args = text.replace(/^#.*\n/, '').trimEnd();
  const spec = readSpec(shellWords(args));
  const file = join(dir, `${name}.cmd`);
  const formats = Object.fromEntries(spec.disks.map((disk) => [disk.id, disk.format ?? 'qcow2']));
  const macs = stableMacs(spec.nets, { machineId: '0'.repeat(32), uid: 1000, identity: spec.identity });
  const command = commandFor(spec, facts, formats, macs);
  return { name, args, spec, command, formats, macs, file, expected: readOptional(`${name}.cmd`) };
}

function readOptional(file: string): string | undefined {
  return existsSync(join(dir, file)) ? readFileSync(join(dir, file), 'utf8') : undefined;
}

/** What a shell makes of it: the shell itself says. */
function shellWords(text: string): readonly string[] {
  return execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${text}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

function readSpec(words: readonly string[]): VmSpec {
  const separator = words.indexOf('--');
  const own = separator < 0 ? words : words.slice(0, separator);
  const command = new Command()
    .argument('[image]')
    .exitOverride()
    .option('-d, --detach')
    .option('--daemonize');
  addVmOptions(command);
  command.parse(own, { from: 'user' });
  const target = command.args[0];
  const profile: IniText | undefined = target?.endsWith('.ini')
    ? { path: join(PLACES.cwd, target), text: readFileSync(join(dir, target), 'utf8') }
    : undefined;
  const raw = readSources({
    ...(profile ? { profile } : {}),
    ...(target === undefined || profile ? {} : { image: target }),
    options: command.opts(),
    extra: separator < 0 ? [] : words.slice(separator + 1),
    cwd: PLACES.cwd,
  });
  return parseVmSpec(raw, { home: PLACES.home });
}

type Facts = ReadonlyMap<string, readonly string[]>;

function readFacts(line: string): Facts {
  const facts = new Map<string, string[]>();
  for (const word of line.split(' ')) {
    const [key = '', ...value] = word.split('=');
    facts.set(key, [...(facts.get(key) ?? []), value.join('=')]);
  }
  return facts;
}

function commandFor(
  spec: VmSpec,
  facts: Facts,
  formats: GoldenCase['formats'],
  macs: GoldenCase['macs'],
): QemuCommand {
  const [major = 7, minor = 2] = (facts.get('version')?.[0] ?? '7.2').split('.').map(Number);
  const caps: QemuCaps = {
    version: { major, minor, micro: 0 },
    netdevs: new Set(facts.get('netdev')),
    devices: new Set(),
    machines: new Set(),
    displays: new Set(),
    features: new Set(),
  };
  const of = (key: string, id: string): string | undefined =>
    facts
      .get(key)
      ?.find((fact) => fact.startsWith(`${id}:`))
      ?.slice(id.length + 1);
  const nics = spec.nets.map((net) => {
    const [mac, ifname, pci] = [
      macs.get(net.id),
      of('ifname', net.id),
      readPciAddress(of('pci', net.id) ?? ''),
    ];
    if (mac === undefined) throw new Error(`no MAC for ${net.id}`);
    return [
      net.id,
      { mac, ...(ifname === undefined ? {} : { ifname }), ...(pci === undefined ? {} : { pci }) },
    ] as const;
  });
  const hostdevs = spec.hostdevs.flatMap(({ id }) => {
    const pci = readPciAddress(of('pci', id) ?? '');
    return pci === undefined ? [] : [[id, pci] as const];
  });
  const paths = runPaths(join(PLACES.run, spec.name));
  const code = spec.uefi?.code ?? '/usr/share/OVMF/OVMF_CODE_4M.fd';
  const firmware = { code, vars: spec.uefi?.vars ?? join(paths.dir, 'vars.fd'), format: 'raw' as const };
  return qemuCommand(spec, {
    binary: spec.qemu ?? 'qemu-system-x86_64',
    caps,
    accel: spec.accel === 'kvm' ? 'kvm' : 'tcg',
    formats,
    nics: Object.fromEntries(nics),
    hostdevs: Object.fromEntries(hostdevs),
    ...(spec.uefi ? { firmware } : {}),
    paths,
    bridgeHelper: '/usr/lib/qemu/qemu-bridge-helper',
    vhostNet: facts.has('vhost-net'),
  });
}
