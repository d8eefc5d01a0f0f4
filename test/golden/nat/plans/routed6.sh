# make the bridge qbr7
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/routed6:0123456789ab
link set dev ql0123456789ab0 name qbr7
link set dev qbr7 mtu 1499
link set dev qbr7 mtu 1500
END
# let qbr7 have IPv6
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/disable_ipv6
# ignore router advertisements on qbr7
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/accept_ra
# take no IPv6 address from guests on qbr7
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/autoconf
# let no guest deny qbr7 its addresses
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/accept_dad
# put the rules of the network routed6 into nftables
nft -f - <<'END'
create table inet qlaunch_routed6 { comment "qlaunch:net/routed6:0123456789ab"; }
add chain inet qlaunch_routed6 guard { type filter hook prerouting priority raw; policy accept; }
add rule inet qlaunch_routed6 guard iifname "qbr7" ip daddr 127.0.0.0/8 counter drop
add rule inet qlaunch_routed6 guard iifname "qbr7" ip saddr 127.0.0.0/8 counter drop
add chain inet qlaunch_routed6 forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_routed6 forward iifname "qbr7" oifname "qbr7" counter accept
add rule inet qlaunch_routed6 forward oifname "qbr7" ct status dnat counter accept
add rule inet qlaunch_routed6 forward oifname "qbr7" ip6 daddr fd00::/96 counter accept
add rule inet qlaunch_routed6 forward oifname "qbr7" counter reject
add rule inet qlaunch_routed6 forward iifname "qbr7" ip6 saddr fd00::/96 counter accept
add rule inet qlaunch_routed6 forward iifname "qbr7" counter reject
add chain inet qlaunch_routed6 mss { type filter hook forward priority mangle; policy accept; }
add rule inet qlaunch_routed6 mss iifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add rule inet qlaunch_routed6 mss oifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
END
# give qbr7 its addresses and bring it up
ip -batch - <<'END'
address add fd00::1/96 dev qbr7
link set dev qbr7 up
END
# hear router advertisements on eth0 also while the host routes IPv6
printf %s 2 > /proc/sys/net/ipv6/conf/eth0/accept_ra
# let the host route IPv6
printf %s 1 > /proc/sys/net/ipv6/conf/all/forwarding
# write /run/qlaunch/net/routed6.conf
(umask 077 && cat > /run/qlaunch/net/.routed6.conf.new) <<'END'
# Written by qlaunch for the network routed6. To change it: qlaunch net define FILE
strict-order
pid-file=/run/qlaunch/net/routed6.pid
except-interface=lo
bind-dynamic
interface=qbr7
dhcp-range=fd00::2,fd00::9,96
dhcp-lease-max=8
dhcp-leasefile=/var/lib/qlaunch/net/routed6.leases
enable-ra
END
chmod 0644 /run/qlaunch/net/.routed6.conf.new && mv -f /run/qlaunch/net/.routed6.conf.new /run/qlaunch/net/routed6.conf
# let dnsmasq check /run/qlaunch/net/routed6.conf
dnsmasq --test --conf-file=/run/qlaunch/net/routed6.conf
# write /run/qlaunch/net/routed6.json
(umask 077 && cat > /run/qlaunch/net/.routed6.json.new) <<'END'
{"v":1,"name":"routed6","bridge":"qbr7","mode":"nat","addresses":["fd00::1/96"],"dnsmasq":true}
END
chmod 0644 /run/qlaunch/net/.routed6.json.new && mv -f /run/qlaunch/net/.routed6.json.new /run/qlaunch/net/routed6.json
