# make the bridge qbr7
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/slow:0123456789ab
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
# put the rules of the network slow into nftables
nft -f - <<'END'
create table inet qlaunch_slow { comment "qlaunch:net/slow:0123456789ab"; }
add chain inet qlaunch_slow guard { type filter hook prerouting priority raw; policy accept; }
add rule inet qlaunch_slow guard iifname "qbr7" ip daddr 127.0.0.0/8 counter drop
add rule inet qlaunch_slow guard iifname "qbr7" ip saddr 127.0.0.0/8 counter drop
add rule inet qlaunch_slow guard iifname "qbr7" limit rate over 128000 bytes/second burst 262144 bytes counter drop
add chain inet qlaunch_slow forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_slow forward oifname "qbr7" ct status dnat counter accept
add rule inet qlaunch_slow forward oifname "qbr7" ip daddr 10.9.0.0/24 ct state established,related counter accept
add rule inet qlaunch_slow forward oifname "qbr7" counter reject
add rule inet qlaunch_slow forward iifname "qbr7" ip saddr 10.9.0.0/24 counter accept
add rule inet qlaunch_slow forward iifname "qbr7" counter reject
add chain inet qlaunch_slow mss { type filter hook forward priority mangle; policy accept; }
add rule inet qlaunch_slow mss iifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add rule inet qlaunch_slow mss oifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add chain inet qlaunch_slow postrouting { type nat hook postrouting priority srcnat; policy accept; }
add rule inet qlaunch_slow postrouting ip saddr 10.9.0.0/24 ip daddr 224.0.0.0/24 counter return
add rule inet qlaunch_slow postrouting ip saddr 10.9.0.0/24 ip daddr 255.255.255.255 counter return
add rule inet qlaunch_slow postrouting meta l4proto tcp ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 counter masquerade to :1024-65535
add rule inet qlaunch_slow postrouting meta l4proto udp ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 counter masquerade to :1024-65535
add rule inet qlaunch_slow postrouting ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 counter masquerade
END
# let guests of qbr7 receive 1000 kB/s
tc qdisc add dev qbr7 root tbf rate 8000kbit burst 1048576b latency 50ms peakrate 40000kbit minburst 65536b
# give qbr7 its addresses and bring it up
ip -batch - <<'END'
address add 10.9.0.1/24 broadcast + dev qbr7
link set dev qbr7 up
END
# let the host route IPv4
printf %s 1 > /proc/sys/net/ipv4/ip_forward
# let nobody on qbr7 reach 127.0.0.0/8 of this host
printf %s 0 > /proc/sys/net/ipv4/conf/qbr7/route_localnet
# write /run/qlaunch/net/slow.conf
(umask 077 && cat > /run/qlaunch/net/.slow.conf.new) <<'END'
# Written by qlaunch for the network slow. To change it: qlaunch net define FILE
strict-order
pid-file=/run/qlaunch/net/slow.pid
except-interface=lo
bind-dynamic
interface=qbr7
END
chmod 0644 /run/qlaunch/net/.slow.conf.new && mv -f /run/qlaunch/net/.slow.conf.new /run/qlaunch/net/slow.conf
# let dnsmasq check /run/qlaunch/net/slow.conf
dnsmasq --test --conf-file=/run/qlaunch/net/slow.conf
# write /run/qlaunch/net/slow.json
(umask 077 && cat > /run/qlaunch/net/.slow.json.new) <<'END'
{"v":1,"name":"slow","bridge":"qbr7","mode":"nat","addresses":["10.9.0.1/24"],"dnsmasq":true,"isolated":true}
END
chmod 0644 /run/qlaunch/net/.slow.json.new && mv -f /run/qlaunch/net/.slow.json.new /run/qlaunch/net/slow.json
