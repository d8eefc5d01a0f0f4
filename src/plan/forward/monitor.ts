/** Forwards of a `user` network that runs, in the words of QEMU's human monitor (hmp-commands.hx, hostfwd_add). */
import type { Forward } from '../../spec/forward.ts';
import { hostForward } from '../qemu/net/user.ts';

export const hostfwdAdd = (nic: string, forward: Forward): string =>
  `hostfwd_add ${nic} ${hostForward(forward)}`;

export const hostfwdRemove = (
  nic: string,
  { proto, address, hostPort }: Pick<Forward, 'proto' | 'address' | 'hostPort'>,
): string => `hostfwd_remove ${nic} ${proto}:${address}:${hostPort}`;
