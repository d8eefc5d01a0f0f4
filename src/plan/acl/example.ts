/** bridge.conf.example, as it lies in the package; a test holds the two together. */
const HEAD = `# Who may plug a guest into which bridge, for QEMU's qemu-bridge-helper.
# Goes to /etc/qemu/bridge.conf (the path is built into the helper).
#
#   allow NAME      guests may use the bridge NAME (1-15 characters)
#   deny NAME       guests may not; a deny always wins, whatever the order
#   allow all       every bridge; \`deny NAME\` beside it can be got around by an alternative interface name
#   include FILE    rules of another file; one that the calling user cannot read counts as empty, so a file
#                   readable by one group only gives that group its own rules
#
# What no rule allows is denied. A line that begins with # is a comment; text after a rule is not.

`;

export function exampleAcl(bridge: string = 'br0'): string {
  return `${HEAD}allow ${bridge}\n`;
}
