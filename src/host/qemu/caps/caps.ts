/** What one QEMU binary can do, as it said itself. */

export interface QemuCaps {
  readonly version: { readonly major: number; readonly minor: number; readonly micro: number };
  /** The distribution's own version text; empty for upstream builds. */
  readonly package: string;
  /** What -netdev takes and this binary really has. */
  readonly netdevs: ReadonlySet<string>;
  /** What -device takes, aliases too. */
  readonly devices: ReadonlySet<string>;
  /** What -machine takes, aliases (`q35`) too. */
  readonly machines: ReadonlySet<string>;
  /** `tcg`, `kvm`: compiled in; whether KVM works on this host is another question. */
  readonly accels: ReadonlySet<string>;
  /** What -display takes, modules that are not installed left out. */
  readonly displays: ReadonlySet<string>;
  /** QMP's commands. */
  readonly commands: ReadonlySet<string>;
  readonly features: ReadonlySet<QemuFeature>;
  /** The default of `-netdev bridge,helper=`. */
  readonly bridgeHelper?: string;
}

export type QemuFeature =
  | 'netdev-stream-reconnect-ms'
  | 'chardev-reconnect-ms'
  | 'passt-vhost-user'
  | 'vfio-iommufd'
  | 'device-json-hotplug'
  | 'run-with-user'
  | 'run-with-exit-with-parent';

/** Asked of the QMP schema; `caps/schema.ts` explains the paths. */
export const SCHEMA_QUESTIONS: readonly (readonly [QemuFeature, string])[] = [
  ['netdev-stream-reconnect-ms', 'netdev_add/arg-type/+stream/reconnect-ms'],
  ['chardev-reconnect-ms', 'chardev-add/arg-type/backend/+socket/data/reconnect-ms'],
  ['passt-vhost-user', 'netdev_add/arg-type/+passt/vhost-user'],
  ['vfio-iommufd', 'object-add/arg-type/qom-type/^iommufd'],
  ['device-json-hotplug', 'device_add/$json-cli-hotplug'],
];

/** Asked of query-command-line-options: [feature, option, parameter]. */
export const OPTION_QUESTIONS: readonly (readonly [QemuFeature, string, string])[] = [
  ['run-with-user', 'run-with', 'user'],
  ['run-with-exit-with-parent', 'run-with', 'exit-with-parent'],
];
