/** User-mode networking and passt: net/slirp.c, net/passt.c. */
import type { MessageRow } from './row.ts';

export const userNetMessages: readonly MessageRow[] = [
  {
    pattern:
      /Could not set up host forwarding rule '(?<rule>(?<proto>tcp|udp)?:(?<host>[^:]*):(?<port>\d+)-[^']*)'/,
    cause:
      'port $<port> cannot be had: somebody listens on it already, it is below 1024 and you are not root, or the address is not this host’s',
    cure: [
      "ss -Hlnp 'sport = :$<port>'   # shows who has it",
      'take another port: fwd=0:GUEST lets the kernel choose',
    ],
  },
  {
    pattern: /Invalid host forwarding rule '(?<rule>[^']*)' \((?<reason>[^)]*)\)/,
    cause: 'QEMU reads [tcp|udp]:[ADDRESS]:PORT-[ADDRESS]:PORT with IPv4 numbers only, no names ($<reason>)',
    cure: ['write fwd=[tcp|udp:][ADDR:]HOST:GUEST'],
  },
  {
    pattern:
      /Invalid netmask provided|Host doesn't belong to network|DHCP must be different from host and DNS|IPv[46] and IPv[46] disabled|IPv[46] disabled but/,
    cause: 'the addresses given for user-mode networking do not fit together',
    cure: ['leave host=, dns= and dhcpstart= out: they are chosen inside net='],
  },
  {
    pattern: /Could not find '(?<smbd>[^']*smbd)', please install it/,
    cause: 'smb= starts a Samba server, and $<smbd> is not installed',
    cure: ['sudo apt install samba'],
  },
  {
    pattern:
      /network backend '(?<type>[^']+)' is not compiled into this binary|-netdev (?<type2>[^,: ]+).*Parameter 'type' does not accept value/,
    cause: 'this QEMU has no network backend of that kind',
    cure: ['qemu-system-x86_64 -netdev help   # lists what it has'],
  },
  {
    pattern:
      /Error creating daemon: .*passt|Passt exited with code (?<code>\d+)|Passt killed with signal|Cannot read passt pid/,
    cause: 'QEMU could not start passt',
    cure: [
      'passt --version   # shows whether it is installed',
      'or --net user, which needs no other program',
    ],
  },
];
