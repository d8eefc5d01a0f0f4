import { bracketed } from '../../spec/ip.ts';
import { machineFamily } from '../../spec/vm/machine.ts';
import type { VmSpec, VncSpec } from '../../spec/vm-spec.ts';
import type { RunPaths } from './context.ts';
import { opt } from './opt.ts';

/** A screen is always there, so that a guest boots the same whether or not somebody looks. A microvm has none. */
export function displayArguments({ machine, display, vnc }: VmSpec, paths: RunPaths): string[][] {
  return [
    ...(machineFamily(machine) === 'microvm' ? [] : [['-device', opt('VGA', { id: 'video0' })]]),
    ['-display', display],
    ...(vnc ? vncArguments(vnc, paths) : []),
  ];
}

function vncArguments({ address, display, passwordFile }: VncSpec, { vncPassword }: RunPaths): string[][] {
  const host = bracketed(address);
  if (passwordFile === undefined) return [['-vnc', `${host}:${display}`]];
  return [
    ['-object', opt('secret', { id: 'vnc0', file: vncPassword })],
    ['-vnc', opt(`${host}:${display}`, { 'password-secret': 'vnc0' })],
  ];
}
