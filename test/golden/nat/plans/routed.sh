# make the bridge qbr7
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/routed:0123456789ab
link set dev ql0123456789ab0 name qbr7
link set dev qbr7 mtu 1499
link set dev qbr7 mtu 1500
END
# keep IPv6 off on qbr7, which has no IPv6 address
printf %s 1 > /proc/sys/net/ipv6/conf/qbr7/disable_ipv6
# ignore router advertisements on qbr7
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/accept_ra
# take no IPv6 address from guests on qbr7
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/autoconf
# put the rules of the network routed into nftables
nft -f - <<'END'
create table inet qlaunch_routed { comment "qlaunch:net/routed:0123456789ab"; }
add chain inet qlaunch_routed forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_routed forward iifname "qbr7" oifname "qbr7" counter accept
add rule inet qlaunch_routed forward oifname "qbr7" ip daddr 10.9.0.0/24 counter accept
add rule inet qlaunch_routed forward oifname "qbr7" counter reject
add rule inet qlaunch_routed forward iifname "qbr7" ip saddr 10.9.0.0/24 counter accept
add rule inet qlaunch_routed forward iifname "qbr7" counter reject
add chain inet qlaunch_routed mss { type filter hook forward priority mangle; policy accept; }
add rule inet qlaunch_routed mss iifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add rule inet qlaunch_routed mss oifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
END
# give qbr7 its addresses and bring it up
ip -batch - <<'END'
address add 10.9.0.1/24 broadcast + dev qbr7
link set dev qbr7 up
END
# let the host route IPv4
printf %s 1 > /proc/sys/net/ipv4/ip_forward
# write /run/qlaunch/net/routed.conf
(umask 077 && cat > /run/qlaunch/net/.routed.conf.new) <<'END'
# Written by qlaunch for the network routed. To change it: qlaunch net define FILE
strict-order
pid-file=/run/qlaunch/net/routed.pid
except-interface=lo
bind-dynamic
interface=qbr7
END
chmod 0644 /run/qlaunch/net/.routed.conf.new && mv -f /run/qlaunch/net/.routed.conf.new /run/qlaunch/net/routed.conf
# let dnsmasq check /run/qlaunch/net/routed.conf
dnsmasq --test --conf-file=/run/qlaunch/net/routed.conf
# write /run/qlaunch/net/routed.json
(umask 077 && cat > /run/qlaunch/net/.routed.json.new) <<'END'
{"v":1,"name":"routed","bridge":"qbr7","mode":"route","addresses":["10.9.0.1/24"],"dnsmasq":true}
END
chmod 0644 /run/qlaunch/net/.routed.json.new && mv -f /run/qlaunch/net/.routed.json.new /run/qlaunch/net/routed.json
