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
add rule inet qlaunch_slow guard iifname "qbr7" limit rate over 128000 bytes/second burst 262144 bytes counter drop
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
{"v":1,"name":"slow","bridge":"qbr7","mode":"open","addresses":["10.9.0.1/24"],"dnsmasq":true,"isolated":true}
END
chmod 0644 /run/qlaunch/net/.slow.json.new && mv -f /run/qlaunch/net/.slow.json.new /run/qlaunch/net/slow.json
