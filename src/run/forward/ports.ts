/** A port of this host that a forward wants: nobody else may have it, and who has it is named. */
import { holds, listenersOn } from '../../host/listeners.ts';
import type { Host } from '../../host/port.ts';
import type { Finding } from '../../host/qemu/finding.ts';
import { clash, type Forward } from '../../spec/forward.ts';
import { alive, type VmStatus } from '../vm/status.ts';

/**
 * @param vms all that the caller can see
 * @param at where it was asked for: "--net nat,fwd=…", "SPEC"
 */
export async function portTaken(
  forward: Forward,
  vms: readonly VmStatus[],
  host: Pick<Host, 'run'>,
  at: string,
): Promise<Finding | undefined> {
  const { proto, address, hostPort } = forward;
  if (hostPort === 0) return undefined;
  const taken = (by: string, ...todo: string[]): Finding => ({
    code: 'QL_PORT_IN_USE',
    what: `${proto} port ${hostPort} on ${address} is in use`,
    why: [by, `${at} wants it`],
    todo,
  });
  for (const { record } of vms.filter(alive))
    for (const { forwards, id } of record.nics) {
      const other = forwards.find((one) =>
        clash({ ...one, proto: one.proto === 'udp' ? 'udp' : 'tcp' }, forward),
      );
      if (other === undefined) continue;
      const spec = `${other.proto}:${other.address}:${other.hostPort}:${other.guestPort}`;
      return taken(
        `VM "${record.name}" has it: ${id} forwards it to its port ${other.guestPort}`,
        `qlaunch forward remove ${record.name} ${spec}`,
      );
    }
  const found = (await listenersOn(host, proto, hostPort)).find((one) => holds(one, address));
  if (found === undefined) return undefined;
  const who =
    found.process === undefined
      ? 'a process of another user'
      : `${found.process.name} (pid ${found.process.pid})`;
  return taken(
    `${who} listens on ${found.address}:${found.port}`,
    found.process === undefined
      ? `sudo ss -Hlnp${proto === 'tcp' ? 't' : 'u'} sport = :${hostPort}   # shows who`
      : `ps -fp ${found.process.pid}   # what it is; or take another port`,
  );
}
