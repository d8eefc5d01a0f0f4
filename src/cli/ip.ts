/** qlaunch ip | ssh: where a guest is reached. */
import { EXIT, QlaunchError } from '../errors.ts';
import { linuxMachine } from '../host/linux.ts';
import { runSsh } from '../host/ssh.ts';
import { identity } from '../host/vm/user.ts';
import { type VmAddress, vmAddresses } from '../run/vm/addresses.ts';
import { findVm, type VmStatus } from '../run/vm/status.ts';
import { json, out, table } from './terminal.ts';

export interface IpOptions {
  /** Seconds. */
  readonly wait?: number;
  readonly json?: boolean;
}

export async function ip(name: string, options: IpOptions): Promise<number> {
  const vm = findVm(name, identity(process.env), process.env);
  const found = await vmAddresses(vm, linuxMachine(), process.env, (options.wait ?? 0) * 1000);
  if (options.json === true) json(found);
  if (found.length === 0) throw noAddress(vm);
  if (options.json !== true)
    out(
      table(
        ['ADDRESS', 'NIC', 'MAC', 'KNOWN FROM'],
        found.map(({ address, nic, mac, source }) => [address, nic, mac, WORDS[source]]),
      ),
    );
  return EXIT.ok;
}

const WORDS: Readonly<Record<VmAddress['source'], string>> = {
  lease: 'DHCP lease',
  neighbour: 'neighbour table',
};

function noAddress({ record }: VmStatus): QlaunchError {
  const forwards = record.nics.flatMap((nic) => nic.forwards);
  const hidden = record.nics.filter(({ mode }) => mode === 'user' || mode === 'passt');
  return new QlaunchError('QL_NO_ADDRESS', EXIT.refused, {
    what: `no address of VM "${record.name}" is known`,
    why:
      hidden.length > 0
        ? [`${hidden.map(({ id }) => id).join(', ')}: behind QEMU’s own NAT, where only forwards lead`]
        : [],
    todo:
      forwards.length > 0
        ? forwards.map(
            ({ address, hostPort, guestPort }) => `${address}:${hostPort}   # the guest’s port ${guestPort}`,
          )
        : [`qlaunch ip ${record.name} --wait 30`, `qlaunch console ${record.name}`],
  });
}

/** `[USER@]VM`: by a forward to port 22, else by its address. Gives ssh's own exit status. */
export async function ssh(target: string, words: readonly string[], options: IpOptions): Promise<number> {
  const at = target.lastIndexOf('@');
  const user = at < 0 ? [] : ['-l', target.slice(0, at)];
  const vm = findVm(target.slice(at + 1), identity(process.env), process.env);
  const forward = vm.record.nics
    .flatMap((nic) => nic.forwards)
    .find(({ proto, guestPort }) => proto === 'tcp' && guestPort === 22);
  if (forward !== undefined) {
    const host = forward.address === '0.0.0.0' ? '127.0.0.1' : forward.address;
    return runSsh([...user, '-p', String(forward.hostPort), host, ...words]);
  }
  const [found] = await vmAddresses(vm, linuxMachine(), process.env, (options.wait ?? 0) * 1000);
  if (found === undefined) throw noAddress(vm);
  return runSsh([...user, found.address, ...words]);
}
