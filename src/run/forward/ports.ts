/** A port of this host that a forward wants: nobody else may have it, and who has it is named. */
import { holds, listenersOn } from '../../host/listeners.ts';
import { liveForwards } from '../../host/nat/forwards.ts';
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
  if (forward.hostPort === 0) return undefined;
  for (const { record } of vms.filter(alive))
    for (const { forwards, id } of record.nics) {
      const other = forwards.find((one) =>
        clash({ ...one, proto: one.proto === 'udp' ? 'udp' : 'tcp' }, forward),
      );
      if (other === undefined) continue;
      const spec = `${other.proto}:${other.address}:${other.hostPort}:${other.guestPort}`;
      return taken(
        forward,
        at,
        `VM "${record.name}" has it: ${id} forwards it to its port ${other.guestPort}`,
        `qlaunch forward remove ${record.name} ${spec}`,
      );
    }
  return portHeld(forward, host, at);
}

/**
 * By what listens there, or leads to another guest of a network. Under the host lock nobody of ours can get it
 * meanwhile.
 */
export async function portHeld(
  forward: Forward,
  host: Pick<Host, 'run'>,
  at: string,
): Promise<Finding | undefined> {
  const { proto, address, hostPort } = forward;
  const other = (await liveForwards(host)).find((one) => clash({ ...one, guestPort: 0 }, forward));
  if (other !== undefined)
    return taken(
      forward,
      at,
      `it leads to a guest already (${other.mark})`,
      'qlaunch ps',
      `sudo ${other.shownBy}`,
      'sudo qlaunch recover   # where a command was killed that began it',
    );
  const found = (await listenersOn(host, proto, hostPort)).find((one) => holds(one, address));
  if (found === undefined) return undefined;
  const who =
    found.process === undefined
      ? 'a process of another user'
      : `${found.process.name} (pid ${found.process.pid})`;
  return taken(
    forward,
    at,
    `${who} listens on ${found.address}:${found.port}`,
    found.process === undefined
      ? `sudo ss -Hlnp${proto === 'tcp' ? 't' : 'u'} sport = :${hostPort}   # shows who`
      : `ps -fp ${found.process.pid}   # what it is; or take another port`,
  );
}

const taken = (
  { proto, address, hostPort }: Forward,
  at: string,
  by: string,
  ...todo: readonly string[]
): Finding => ({
  code: 'QL_PORT_IN_USE',
  what: `${proto} port ${hostPort} on ${address} is in use`,
  why: [by, `${at} wants it`],
  todo,
});
