# make the bridge qbr7
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/alone6:0123456789ab
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
# put the rules of the network alone6 into nftables
nft -f - <<'END'
create table inet qlaunch_alone6 { comment "qlaunch:net/alone6:0123456789ab"; }
add chain inet qlaunch_alone6 forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_alone6 forward iifname "qbr7" oifname "qbr7" counter accept
add rule inet qlaunch_alone6 forward oifname "qbr7" counter reject
add rule inet qlaunch_alone6 forward iifname "qbr7" counter reject
END
# give qbr7 its addresses and bring it up
ip -batch - <<'END'
address add fd00::1/64 dev qbr7
link set dev qbr7 up
END
# write /run/qlaunch/net/alone6.conf
(umask 077 && cat > /run/qlaunch/net/.alone6.conf.new) <<'END'
# Written by qlaunch for the network alone6. To change it: qlaunch net define FILE
strict-order
port=0
no-resolv
pid-file=/run/qlaunch/net/alone6.pid
except-interface=lo
bind-dynamic
interface=qbr7
dhcp-option=3
ra-param=*,0,0
dhcp-range=fd00::1,ra-only
dhcp-leasefile=/var/lib/qlaunch/net/alone6.leases
END
chmod 0644 /run/qlaunch/net/.alone6.conf.new && mv -f /run/qlaunch/net/.alone6.conf.new /run/qlaunch/net/alone6.conf
# let dnsmasq check /run/qlaunch/net/alone6.conf
dnsmasq --test --conf-file=/run/qlaunch/net/alone6.conf
# write /run/qlaunch/net/alone6.json
(umask 077 && cat > /run/qlaunch/net/.alone6.json.new) <<'END'
{"v":1,"name":"alone6","bridge":"qbr7","mode":"none","addresses":["fd00::1/64"],"dnsmasq":true}
END
chmod 0644 /run/qlaunch/net/.alone6.json.new && mv -f /run/qlaunch/net/.alone6.json.new /run/qlaunch/net/alone6.json
