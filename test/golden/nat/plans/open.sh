# make the bridge qbr7
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/open:0123456789ab
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
# give qbr7 its addresses and bring it up
ip -batch - <<'END'
address add 10.9.0.1/24 broadcast + dev qbr7
link set dev qbr7 up
END
# let the host route IPv4
printf %s 1 > /proc/sys/net/ipv4/ip_forward
# write /run/qlaunch/net/open.json
(umask 077 && cat > /run/qlaunch/net/.open.json.new) <<'END'
{"v":1,"name":"open","bridge":"qbr7","mode":"open","addresses":["10.9.0.1/24"],"dnsmasq":false}
END
chmod 0644 /run/qlaunch/net/.open.json.new && mv -f /run/qlaunch/net/.open.json.new /run/qlaunch/net/open.json
