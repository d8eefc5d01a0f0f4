# make the bridge qbr7
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/dual:0123456789ab
link set dev ql0123456789ab0 name qbr7
link set dev qbr7 mtu 1399
link set dev qbr7 mtu 1400
END
# let qbr7 have IPv6
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/disable_ipv6
# ignore router advertisements on qbr7
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/accept_ra
# take no IPv6 address from guests on qbr7
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/autoconf
# let no guest deny qbr7 its addresses
printf %s 0 > /proc/sys/net/ipv6/conf/qbr7/accept_dad
# put the rules of the network dual into nftables
nft -f - <<'END'
create table inet qlaunch_dual { comment "qlaunch:net/dual:0123456789ab"; }
add chain inet qlaunch_dual guard { type filter hook prerouting priority raw; policy accept; }
add rule inet qlaunch_dual guard iifname "qbr7" ip daddr 127.0.0.0/8 counter drop
add rule inet qlaunch_dual guard iifname "qbr7" ip saddr 127.0.0.0/8 counter drop
add chain inet qlaunch_dual forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_dual forward iifname "qbr7" oifname "qbr7" counter accept
add rule inet qlaunch_dual forward oifname "qbr7" ct status dnat counter accept
add rule inet qlaunch_dual forward oifname "qbr7" ip daddr 10.9.0.0/24 ct state established,related counter accept
add rule inet qlaunch_dual forward oifname "qbr7" ip6 daddr fd12:3456:789a::/64 ct state established,related counter accept
add rule inet qlaunch_dual forward oifname "qbr7" ip6 daddr 2001:db8:5::/64 counter accept
add rule inet qlaunch_dual forward oifname "qbr7" counter reject
add rule inet qlaunch_dual forward iifname "qbr7" ip saddr 10.9.0.0/24 counter accept
add rule inet qlaunch_dual forward iifname "qbr7" ip6 saddr fd12:3456:789a::/64 counter accept
add rule inet qlaunch_dual forward iifname "qbr7" ip6 saddr 2001:db8:5::/64 counter accept
add rule inet qlaunch_dual forward iifname "qbr7" counter reject
add chain inet qlaunch_dual mss { type filter hook forward priority mangle; policy accept; }
add rule inet qlaunch_dual mss iifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add rule inet qlaunch_dual mss oifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add chain inet qlaunch_dual postrouting { type nat hook postrouting priority srcnat; policy accept; }
add rule inet qlaunch_dual postrouting ip saddr 10.9.0.0/24 ip daddr 224.0.0.0/24 counter return
add rule inet qlaunch_dual postrouting ip saddr 10.9.0.0/24 ip daddr 255.255.255.255 counter return
add rule inet qlaunch_dual postrouting meta l4proto tcp ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 counter masquerade to :1024-65535
add rule inet qlaunch_dual postrouting meta l4proto udp ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 counter masquerade to :1024-65535
add rule inet qlaunch_dual postrouting ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 counter masquerade
add rule inet qlaunch_dual postrouting ip6 saddr fd12:3456:789a::/64 ip6 daddr ff02::/16 counter return
add rule inet qlaunch_dual postrouting meta l4proto tcp ip6 saddr fd12:3456:789a::/64 ip6 daddr != fd12:3456:789a::/64 counter snat ip6 to [fd00:a::1]-[fd00:a::4]:1024-65535
add rule inet qlaunch_dual postrouting meta l4proto udp ip6 saddr fd12:3456:789a::/64 ip6 daddr != fd12:3456:789a::/64 counter snat ip6 to [fd00:a::1]-[fd00:a::4]:1024-65535
add rule inet qlaunch_dual postrouting ip6 saddr fd12:3456:789a::/64 ip6 daddr != fd12:3456:789a::/64 counter snat ip6 to fd00:a::1-fd00:a::4
END
# give qbr7 its addresses and bring it up
ip -batch - <<'END'
address add 10.9.0.1/24 broadcast + dev qbr7
address add fd12:3456:789a::1/64 dev qbr7
address add 2001:db8:5::1/64 dev qbr7
link set dev qbr7 up
END
# let the host route IPv4
printf %s 1 > /proc/sys/net/ipv4/ip_forward
# hear router advertisements on eth0 also while the host routes IPv6
printf %s 2 > /proc/sys/net/ipv6/conf/eth0/accept_ra
# let the host route IPv6
printf %s 1 > /proc/sys/net/ipv6/conf/all/forwarding
# let nobody on qbr7 reach 127.0.0.0/8 of this host
printf %s 0 > /proc/sys/net/ipv4/conf/qbr7/route_localnet
# write /run/qlaunch/net/dual.conf
(umask 077 && cat > /run/qlaunch/net/.dual.conf.new) <<'END'
# Written by qlaunch for the network dual. To change it: qlaunch net define FILE
strict-order
pid-file=/run/qlaunch/net/dual.pid
except-interface=lo
bind-dynamic
interface=qbr7
dhcp-range=fd12:3456:789a::100,fd12:3456:789a::1ff,slaac,64,1800s
dhcp-range=2001:db8:5::1,ra-only
dhcp-lease-max=256
dhcp-leasefile=/var/lib/qlaunch/net/dual.leases
dhcp-host=id:0:3:0:1:52:54:0:0:0:1,[fd12:3456:789a::10],web
dhcp-host=52:54:00:00:00:02,[fd12:3456:789a::11],infinite
enable-ra
dhcp-option=option:mtu,1400
END
chmod 0644 /run/qlaunch/net/.dual.conf.new && mv -f /run/qlaunch/net/.dual.conf.new /run/qlaunch/net/dual.conf
# let dnsmasq check /run/qlaunch/net/dual.conf
dnsmasq --test --conf-file=/run/qlaunch/net/dual.conf
# write /run/qlaunch/net/dual.json
(umask 077 && cat > /run/qlaunch/net/.dual.json.new) <<'END'
{"v":1,"name":"dual","bridge":"qbr7","mode":"nat","addresses":["10.9.0.1/24","fd12:3456:789a::1/64","2001:db8:5::1/64"],"dnsmasq":true}
END
chmod 0644 /run/qlaunch/net/.dual.json.new && mv -f /run/qlaunch/net/.dual.json.new /run/qlaunch/net/dual.json
