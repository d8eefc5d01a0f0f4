# make the bridge qbr7
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/alone:0123456789ab
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
# put the rules of the network alone into nftables
nft -f - <<'END'
create table inet qlaunch_alone { comment "qlaunch:net/alone:0123456789ab"; }
add chain inet qlaunch_alone forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_alone forward iifname "qbr7" oifname "qbr7" counter accept
add rule inet qlaunch_alone forward oifname "qbr7" counter reject
add rule inet qlaunch_alone forward iifname "qbr7" counter reject
END
# give qbr7 its addresses and bring it up
ip -batch - <<'END'
address add 10.9.0.1/24 broadcast + dev qbr7
link set dev qbr7 up
END
# write /run/qlaunch/net/alone.conf
(umask 077 && cat > /run/qlaunch/net/.alone.conf.new) <<'END'
# Written by qlaunch for the network alone. To change it: qlaunch net define FILE
strict-order
no-resolv
pid-file=/run/qlaunch/net/alone.pid
except-interface=lo
bind-dynamic
interface=qbr7
dhcp-option=3
ra-param=*,0,0
dhcp-range=10.9.0.2,10.9.0.9,255.255.255.0
dhcp-no-override
dhcp-authoritative
dhcp-ignore-clid
dhcp-lease-max=8
dhcp-leasefile=/var/lib/qlaunch/net/alone.leases
dhcp-hostsdir=/run/qlaunch/net/alone.hosts
END
chmod 0644 /run/qlaunch/net/.alone.conf.new && mv -f /run/qlaunch/net/.alone.conf.new /run/qlaunch/net/alone.conf
# let dnsmasq check /run/qlaunch/net/alone.conf
dnsmasq --test --conf-file=/run/qlaunch/net/alone.conf
# write /run/qlaunch/net/alone.json
(umask 077 && cat > /run/qlaunch/net/.alone.json.new) <<'END'
{"v":1,"name":"alone","bridge":"qbr7","mode":"none","addresses":["10.9.0.1/24"],"dnsmasq":true,"dhcp":{"subnet":"10.9.0.0/24","gateway":"10.9.0.1","ranges":[{"start":"10.9.0.2","end":"10.9.0.9"}],"hosts":[]}}
END
chmod 0644 /run/qlaunch/net/.alone.json.new && mv -f /run/qlaunch/net/.alone.json.new /run/qlaunch/net/alone.json
