/** qlaunch ps */
import { socketRoots, vmRoots } from '../host/vm/dirs.ts';
import { type Identity, identity } from '../host/vm/user.ts';
import { forgetVm } from '../run/vm/forget.ts';
import { alive, listVms, selectorOf, type VmStatus } from '../run/vm/status.ts';
import { fail, json, note, out, table, tint } from './terminal.ts';

export interface PsOptions {
  readonly json?: boolean;
  readonly clean?: boolean;
  readonly allUsers?: boolean;
}

const TINTS = { running: 'green', starting: 'yellow', ended: 'dim', failed: 'red', lost: 'red' } as const;

export async function ps(options: PsOptions): Promise<number> {
  const who = identity(process.env);
  const vms = [...listVms(who, process.env)].sort(byName);
  if (options.clean) return clean(vms, who, options);
  if (options.json) json(vms.map(view));
  else if (vms.length === 0) note('no VMs (start one: qlaunch IMAGE -d)');
  else {
    const several = new Set(vms.map(({ record }) => record.uid)).size > 1;
    const rows = vms.map((vm) => [nameOf(vm, vms, several), ...columns(vm)]);
    const [head = '', ...lines] = table(
      ['NAME', 'STATE', 'PID', 'STARTED (UTC)', 'NETWORK', 'NOTE'],
      rows,
    ).split('\n');
    out([tint('bold', head), ...lines.map((line, index) => paint(line, vms[index]))].join('\n'));
  }
  return 0;
}

/** What other commands take for it; root sees whose each is. */
function nameOf(vm: VmStatus, all: readonly VmStatus[], several: boolean): string {
  const selector = selectorOf(vm, all);
  return several && selector === vm.record.name ? `${vm.record.uid}/${selector}` : selector;
}

/** By code unit: localeCompare() loads the collation rules, which takes longer than all the rest. */
const byName = (a: VmStatus, b: VmStatus): number =>
  a.record.name < b.record.name ? -1 : a.record.name > b.record.name ? 1 : 0;

function paint(line: string, vm: VmStatus | undefined): string {
  return vm === undefined ? line : line.replace(` ${vm.state} `, ` ${tint(TINTS[vm.state], vm.state)} `);
}

function columns(vm: VmStatus): readonly string[] {
  const nets = vm.record.nics.map((nic) =>
    [nic.mode, ...nic.forwards.map((fwd) => `${fwd.hostPort}>${fwd.guestPort}`)].join(' '),
  );
  return [
    vm.state,
    String(vm.pid ?? '-'),
    vm.record.startedAt.slice(0, 16).replace('T', ' '),
    nets.join(', ') || 'none',
    vm.reason ?? '',
  ];
}

/** The documented shape of `ps --json`: one object per VM. */
function view(vm: VmStatus): object {
  const { record, dir, state, pid, exit, reason } = vm;
  return {
    name: record.name,
    uid: record.uid,
    state,
    ...(pid === undefined ? {} : { pid }),
    ...(exit === undefined ? {} : { exit }),
    ...(reason === undefined ? {} : { reason }),
    startedAt: record.startedAt,
    detached: record.detached,
    nics: record.nics,
    disks: record.disks,
    ...(record.vnc === undefined ? {} : { vnc: record.vnc }),
    dir,
    argv: record.argv,
  };
}

/** Root sees everybody's VMs, but what others' left is theirs to keep. */
async function clean(vms: readonly VmStatus[], who: Identity, options: PsOptions): Promise<number> {
  const { removeLitter } = await import('../run/vm/litter.ts');
  const roots = vmRoots(who, process.env, options.allUsers === true);
  const dead = vms.filter((vm) => !alive(vm));
  const wanted = dead.filter(({ record }) => roots.some(({ uid }) => uid === record.uid));
  const forgotten: VmStatus[] = [];
  let status = 0;
  for (const vm of wanted) {
    try {
      if (await forgetVm(vm)) forgotten.push(vm);
    } catch (error) {
      status = Math.max(status, fail(error));
    }
  }
  const kept = vms.filter((vm) => !forgotten.includes(vm));
  const litter = await removeLitter({ vms: roots, sockets: socketRoots(roots, process.env) }, kept);
  const names = forgotten.map(({ record }) => record.name).join(', ');
  if (names !== '') note(`removed the logs of ${names}`);
  for (const dir of litter) note(`removed ${dir}, which was no VM’s`);
  if (names === '' && litter.length === 0 && status === 0)
    note(
      dead.length === 0 ? 'nothing to clean' : 'nothing of yours to clean (--all-users takes that of others)',
    );
  return status;
}
