/**
 * What would make QEMU fail with a poor message, found before it is started: disks, files, ports, socket paths.
 * Nothing is changed. Everything that is wrong is reported, not the first thing.
 */
import { existsSync } from 'node:fs';
import { shellLine } from '../../plan/shell.ts';
import type { Forward } from '../../spec/net-spec.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import { which } from '../linux-files.ts';
import { type Finding, isFinding } from './finding.ts';
import { findFirmware } from './firmware.ts';
import { type ImageTools, type ResolvedDisk, readProcLocks, resolveDisk } from './images.ts';
import { checkPassword } from './preflight/password.ts';
import {
  type AskAs,
  checkDirectoryAs,
  checkReadableAs,
  checkSocketPath,
  checkWritableAs,
} from './preflight/paths.ts';
import { checkPorts, type PortWish } from './preflight/ports.ts';
import { checkScriptAs } from './preflight/script.ts';

export interface PreflightPlaces {
  /** Where formats are recorded. */
  readonly stateDir: string;
  /** Sockets that QEMU will make: path, and what it is for. */
  readonly sockets: readonly { readonly path: string; readonly at: string }[];
  /** The user QEMU runs as. */
  readonly uid: number;
  /** By disk id: files outside the image's directory that it may refer to. */
  readonly allow?: ReadonlyMap<string, readonly string[]>;
}

export interface Preflight {
  /** By disk id; a disk with a finding is missing. */
  readonly disks: ReadonlyMap<string, ResolvedDisk>;
  readonly findings: readonly Finding[];
  /** Worth a line to the user, though nothing is refused. */
  readonly notes: readonly string[];
}

export async function preflight(
  given: ImageTools,
  spec: VmSpec,
  places: PreflightPlaces,
): Promise<Preflight> {
  const { stateDir, allow } = places;
  const tools = { ...given, procLocks: given.procLocks ?? readProcLocks() };
  const ports = checkPorts(portsOf(spec), places.uid);
  const resolved = await Promise.all(
    spec.disks.map(async ({ id, file, format, readOnly }) => {
      const request = { file, readOnly: readOnly || spec.snapshot, allow: allow?.get(id) ?? [] };
      const disk = await resolveDisk(
        tools,
        format === undefined ? request : { ...request, format },
        stateDir,
      );
      return [id, disk] as const;
    }),
  );
  const cdroms = await Promise.all(
    spec.cdroms.map((file) => resolveDisk(tools, { file, format: 'raw', readOnly: true }, stateDir)),
  );
  const disks = new Map<string, ResolvedDisk>();
  const findings: Finding[] = [];
  for (const [id, disk] of resolved) {
    if (isFinding(disk)) findings.push(disk);
    else disks.set(id, disk);
  }
  findings.push(
    ...sameDiskTwice(
      resolved.map(([, disk]) => disk),
      spec,
    ),
    ...cdroms.filter(isFinding),
  );
  findings.push(
    ...(await files(tools, spec)),
    ...places.sockets.map(({ path, at }) => checkSocketPath(path, at)).filter((f) => f !== undefined),
  );
  findings.push(...(await ports), ...passt(spec));
  const password = await checkPassword(tools, spec.vnc?.passwordFile);
  return { disks, findings: [...findings, ...password.findings], notes: password.notes };
}

/** Also a QEMU that starts passt itself looks for it in PATH. */
function passt({ nets }: VmSpec): Finding[] {
  if (!nets.some(({ mode }) => mode === 'passt') || which('passt') !== undefined) return [];
  return [
    {
      code: 'QL_PASST_MISSING',
      what: '--net passt needs the program passt',
      why: ['it is not in PATH'],
      todo: [
        'sudo apt install passt   # dnf, pacman, apk: the package is passt as well',
        '--net user needs nothing',
      ],
    },
  ];
}

/** QEMU locks against itself too: who reads an image does not let another side of it write. */
function sameDiskTwice(disks: readonly (ResolvedDisk | Finding)[], spec: VmSpec): Finding[] {
  const writes = new Map<string, boolean[]>();
  for (const [i, disk] of disks.entries()) {
    if (isFinding(disk)) continue;
    const readOnly = spec.snapshot || spec.disks[i]?.readOnly === true;
    writes.set(disk.file, [...(writes.get(disk.file) ?? []), !readOnly]);
  }
  return [...writes]
    .filter(([, sides]) => sides.length > 1 && sides.includes(true))
    .map(([file]) => ({
      code: 'QL_DISK_TWICE',
      what: `the disk ${file} is given twice`,
      why: ['one side would write to what the other reads'],
      todo: ['readonly=on for both, or --snapshot'],
    }));
}

async function files(tools: AskAs, spec: VmSpec): Promise<Finding[]> {
  const { kernel, uefi, vnc, serial, nets } = spec;
  const read: (readonly [string | undefined, string])[] = [
    [kernel?.kernel, '--kernel'],
    [kernel?.initrd, '--initrd'],
    [uefi?.code, '--uefi'],
    [vnc?.passwordFile, '--vnc'],
    ...nets.map(({ romFile, at }) => [romFile || undefined, `${at} rom`] as const),
  ];
  const list = nets.flatMap((net): [string | undefined, string][] =>
    net.mode === 'user'
      ? [
          [net.tftp, `${net.at} tftp`],
          [net.smb, `${net.at} smb`],
        ]
      : [],
  );
  const asked = [
    ...read.map(([path, at]) => (path === undefined ? undefined : checkReadableAs(tools, path, at))),
    ...list.map(([path, at]) => (path === undefined ? undefined : checkDirectoryAs(tools, path, at))),
    checkVars(tools, spec),
    serial.kind === 'file' ? checkWritableAs(tools, serial.path, '--serial') : undefined,
  ];
  for (const net of nets) {
    if (net.mode !== 'tap') continue;
    for (const key of ['script', 'downscript'] as const)
      if (net[key]?.startsWith('/')) asked.push(checkScriptAs(tools, net[key], `${key} of ${net.at}`));
  }
  return (await Promise.all(asked)).filter((finding) => finding !== undefined);
}

/** A file that the user keeps: QEMU writes into it, but makes none. */
async function checkVars(tools: AskAs, spec: VmSpec): Promise<Finding | undefined> {
  const { machine, uefi, snapshot } = spec;
  if (uefi?.vars === undefined) return undefined;
  const unread = await checkReadableAs(tools, uefi.vars, '--uefi-vars');
  if (unread === undefined) return snapshot ? undefined : checkWritableAs(tools, uefi.vars, '--uefi-vars');
  // Another firmware comes with variables of its own.
  const template = uefi.code !== undefined || existsSync(uefi.vars) ? undefined : varsTemplate(machine);
  return template === undefined ? unread : { ...unread, todo: [shellLine(['cp', template, uefi.vars])] };
}

function varsTemplate(machine: string): string | undefined {
  try {
    return findFirmware(machine).varsTemplate;
  } catch {
    // That none is installed is told later, on its own.
    return undefined;
  }
}

function portsOf({ nets, vnc }: VmSpec): PortWish[] {
  const wishes: PortWish[] = [];
  for (const net of nets) {
    if (net.mode !== 'user' && net.mode !== 'passt') continue;
    const ofNet = (forward: Forward): PortWish => ({ ...forward, port: forward.hostPort, at: net.at });
    wishes.push(...net.forwards.map(ofNet));
  }
  if (vnc)
    wishes.push({
      proto: 'tcp',
      address: vnc.address,
      port: 5900 + vnc.display,
      at: `--vnc :${vnc.display}`,
    });
  return wishes;
}
