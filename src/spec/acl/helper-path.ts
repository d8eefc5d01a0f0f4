/** Which bridge.conf a helper reads: a path in its binary, moved with it as get_relocated_path() does. */
import { dirname, join } from 'node:path';

/** Where neither the binary nor a trial tells it. */
export const USUAL_ACL = '/etc/qemu/bridge.conf';

export interface HelperStrings {
  /** "/etc/qemu/bridge.conf" */
  readonly acl?: string;
  /** CONFIG_BINDIR, "/usr/bin": what stands before its last part is the build's prefix. */
  readonly binDir?: string;
  /** Since QEMU 7.1. */
  readonly knowsBundle: boolean;
  /** Built with libcap-ng: it reads the file with its caller's rights, not with root's. */
  readonly dropsPrivileges: boolean;
}

/** @param binary the helper's bytes, latin1 */
export function helperStrings(binary: string): HelperStrings {
  const acl = /(?<=\0)\/[^\0\n]*\/bridge\.conf(?=\0)/.exec(binary)?.[0];
  const binDir = /(?<=\0)\/[^\0\n%]*\/bin(?=\0)/.exec(binary)?.[0];
  return {
    ...(acl === undefined ? {} : { acl }),
    ...(binDir === undefined ? {} : { binDir }),
    knowsBundle: binary.includes('/qemu-bundle\0'),
    // A wrapper (NixOS) names no list: the helper that it starts is a usual one.
    dropsPrivileges: acl === undefined || binary.includes('failed to drop privileges'),
  };
}

/**
 * Source: util/cutils.c. A path outside the prefix stays; one below it is looked up beside the helper's directory, as
 * if that were the prefix's bin: /usr/local/libexec/../etc/qemu/bridge.conf.
 * @param helper its real path
 * @param hasBundle there is a qemu-bundle beside it
 */
export function aclPathOf(
  helper: string,
  { acl = USUAL_ACL, binDir, knowsBundle }: HelperStrings,
  hasBundle: boolean,
): string {
  const dir = dirname(helper);
  if (knowsBundle && hasBundle) return join(dir, 'qemu-bundle', acl);
  const prefix = binDir === undefined ? undefined : dirname(binDir);
  if (prefix === undefined || prefix === '/' || !acl.startsWith(`${prefix}/`)) return acl;
  // The kernel's "..", not ours: the directory may be a symbolic link.
  return `${dir}/..${acl.slice(prefix.length)}`;
}
