/** Sockets, pid file, displays, and QEMU's command line itself. */
import type { MessageRow } from './row.ts';

export const processMessages: readonly MessageRow[] = [
  {
    pattern: /cannot create PID file: Cannot lock pid file/,
    cause: 'a QEMU with the same pid file is still running',
    cure: ['qlaunch ps'],
  },
  {
    pattern: /cannot create PID file: (?<words>(?:.*'(?<file>[^']+)')?.*)/,
    cause: 'the pid file cannot be made: $<words>',
    cure: ['ls -ld "$(dirname $<file>)"', 'df -h'],
  },
  {
    pattern: /UNIX socket path '(?<path>[^']+)' is too long|Path must be less than 108 bytes/,
    cause: 'the path of a unix socket has at most 107 bytes',
    cure: ['export QLAUNCH_RUNTIME_DIR="$HOME/.q"   # a short path'],
  },
  {
    pattern: /Failed to bind socket to (?<path>\S+): (?<errno>.+)/,
    cause: 'the socket $<path> cannot be made: $<errno>',
    cure: ['ls -ld "$(dirname $<path>)"'],
  },
  {
    pattern: /Failed to find an available port: Address already in use/,
    cause: 'the port of this VNC display, 5900 plus its number, is taken',
    cure: ["ss -Hltnp 'sport >= :5900 and sport <= :5999'", 'take another display: --vnc :N'],
  },
  {
    pattern: /Display '(?<display>[^']+)' is not available/,
    cause: 'the window for -display $<display> comes in a package of its own',
    cure: ['sudo apt install qemu-system-gui', 'or --vnc :1, or --display none with --serial stdio'],
  },
  {
    pattern: /gtk initialization failed|Could not initialize SDL/,
    cause: 'there is no screen to open a window on (DISPLAY or WAYLAND_DISPLAY)',
    cure: ['--vnc :1', 'or --display none with --serial stdio'],
  },
  {
    pattern: /-nographic cannot be used with -daemonize|cannot use stdio with -daemonize/,
    cause: 'a QEMU in the background has no terminal',
    cure: ['--serial socket   # then: qlaunch console'],
  },
  {
    pattern: /cannot use stdio by multiple character devices/,
    cause: 'two things want the terminal',
    cure: ['give only one of them to stdio'],
  },
  {
    pattern: /Duplicate ID '(?<id>[^']+)' for (?<what>\w+)/,
    cause: 'two of QEMU’s $<what>s are called "$<id>"; behind -- perhaps one of qlaunch’s own names',
    cure: ['take another id'],
  },
  {
    pattern: /Parameter 'id' expects an identifier/,
    cause: 'ids begin with a letter and have letters, digits, - . _ only',
    cure: ['take another id'],
  },
  {
    pattern: /'(?<model>[^']+)' is not a valid device model name/,
    cause:
      'this QEMU has no device $<model>: a newer version may, or a package such as qemu-system-modules-*',
    cure: ['qemu-system-x86_64 -device help'],
  },
  {
    pattern: /Property '(?<property>[^']*netdev)' can't find value '(?<id>[^']+)'/,
    cause: 'there is no -netdev with the id "$<id>"',
    cure: ['ids and their use must agree: -netdev …,id=X -device …,netdev=X'],
  },
  {
    pattern: /Property '(?<property>[^']*netdev)' can't take value '(?<id>[^']+)', it's in use/,
    cause: 'a -netdev can serve one NIC only',
    cure: ['give each NIC a -netdev of its own'],
  },
  {
    pattern: /Property '(?<property>[^']*mac)' doesn't take value '(?<mac>[^']+)'/,
    cause: '"$<mac>" is not a MAC: six pairs of hex digits with colons',
    cure: ['leave mac= out: qlaunch derives a stable one'],
  },
  {
    pattern: /PCI: slot \d+ function \d+ not available/,
    cause: 'two devices were given the same place on the PCI bus',
    cure: ['leave addr= out'],
  },
  {
    pattern: /Bus 'pcie\.0' does not support hotplugging/,
    cause: 'a device can only be added at run time behind a pcie-root-port that was there from the start',
    cure: ['give QEMU some spare ones behind --: -device pcie-root-port,id=spare1,chassis=11'],
  },
  {
    pattern: /Invalid parameter '(?<name>[^']+)'|: invalid option$/,
    cause:
      'this QEMU does not know that option: removed, newer, misspelt, or a comma in a value that was not doubled',
    cure: ['a comma inside a value is written twice'],
  },
  {
    pattern: /User "(?<user>[^"]+)" doesn't exist/,
    cause: 'there is no user $<user>',
    cure: ['getent passwd'],
  },
  {
    pattern: /Unable to read (?<file>\S+): /,
    cause: 'a secret’s file cannot be read by the user QEMU runs as',
    cure: ['ls -l $<file>'],
  },
];
