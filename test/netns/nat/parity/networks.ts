/** The networks that are compared: libvirt's `default` as it is shipped, and one of each mode, the same XML for both. */

export interface Network {
  readonly name: string;
  readonly bridge: string;
  readonly gateway: { readonly 4: string; readonly 6?: string };
  /** undefined: nobody defines it, it is there. */
  readonly xml?: string;
}

export const COLUMNS = ['default', 'nat', 'route', 'isolated', 'open'] as const;
export type Column = (typeof COLUMNS)[number];

const beside = (name: string, forward: string, octet: number): Network => {
  const gateway = { 4: `10.98.${octet}.1`, 6: `fd98:${octet}::1` } as const;
  const xml = `<network><name>${name}</name>${forward}<bridge name='${name}0' stp='off'/>
    <ip address='${gateway[4]}' netmask='255.255.255.0'>
      <dhcp><range start='10.98.${octet}.10' end='10.98.${octet}.90'/></dhcp></ip>
    <ip family='ipv6' address='${gateway[6]}' prefix='64'/></network>`;
  return { name, bridge: `${name}0`, gateway, xml };
};

/** Of the guest that a reservation is for. */
export const RESERVED = '52:54:00:98:01:01';

const NAT = `<network><name>nat</name><forward mode='nat'><nat ipv6='yes'/></forward><bridge name='nat0' stp='off'/>
  <mtu size='1400'/><domain name='nat.test' localOnly='yes'/>
  <dns><txt name='note' value='hello'/><host ip='10.98.1.77'><hostname>db</hostname></host></dns>
  <ip address='10.98.1.1' netmask='255.255.255.0'><dhcp><range start='10.98.1.10' end='10.98.1.90'/>
    <host mac='${RESERVED}' name='kept' ip='10.98.1.50'/></dhcp></ip>
  <ip family='ipv6' address='fd98:1::1' prefix='64'><dhcp><range start='fd98:1::100' end='fd98:1::1ff'/></dhcp></ip>
  </network>`;

export const NETWORKS: Readonly<Record<Column, Network>> = {
  default: { name: 'default', bridge: 'virbr0', gateway: { 4: '192.168.122.1' } },
  nat: { ...beside('nat', '', 1), xml: NAT },
  route: beside('route', `<forward mode='route'/>`, 2),
  isolated: beside('isolated', '', 3),
  open: beside('open', `<forward mode='open'/>`, 4),
};
