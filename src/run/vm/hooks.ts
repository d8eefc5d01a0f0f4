/** `script=yes`: the hooks of this qlaunch, by their paths. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { hookScript } from '../../host/hook/programs.ts';
import { mayChangeLinks } from '../../host/hook/rights.ts';
import type { Identity } from '../../host/vm/user.ts';
import type { NetSpec } from '../../spec/net-spec.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';

/** Throws QL_NEEDS_ROOT (exit 3), QL_HOOK_MISSING. */
export function withHooks(spec: VmSpec, who: Identity): VmSpec {
  return { ...spec, nets: spec.nets.map((net) => resolved(net, who)) };
}

function resolved(net: NetSpec, who: Identity): NetSpec {
  if (net.mode !== 'tap' || (net.script !== 'yes' && net.downscript !== 'yes')) return net;
  if (who.dropTo || !mayChangeLinks()) throw noRights(net.at, who);
  const { script, downscript = script === 'yes' ? 'yes' : 'no' } = net;
  return {
    ...net,
    ...(script === undefined ? {} : { script: script === 'yes' ? hookScript('qemu-ifup') : script }),
    downscript: downscript === 'yes' ? hookScript('qemu-ifdown') : downscript,
  };
}

function noRights(at: string, { user }: Identity): QlaunchError {
  return new QlaunchError('QL_NEEDS_ROOT', EXIT.refused, {
    what: `${at}: script=yes needs a QEMU that may change interfaces`,
    why: [`QEMU runs as ${user.name}, and its scripts have no more rights than it has`],
    todo: ['sudo qlaunch … --run-as root', 'or let root make the tap: --net tap:IFNAME,bridge=BR'],
  });
}
