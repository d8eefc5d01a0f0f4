# make the bridge lab0
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 0 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/lab-1.x:0123456789ab
link set dev ql0123456789ab0 name lab0
link set dev lab0 mtu 8999
link set dev lab0 mtu 9000
END
# keep IPv6 off on lab0, which has no IPv6 address
printf %s 1 > /proc/sys/net/ipv6/conf/lab0/disable_ipv6
# ignore router advertisements on lab0
printf %s 0 > /proc/sys/net/ipv6/conf/lab0/accept_ra
# take no IPv6 address from guests on lab0
printf %s 0 > /proc/sys/net/ipv6/conf/lab0/autoconf
# put the rules of the network lab-1.x into nftables
nft -f - <<'END'
create table inet qlaunch_lab-1.x { comment "qlaunch:net/lab-1.x:0123456789ab"; }
add chain inet qlaunch_lab-1.x guard { type filter hook prerouting priority raw; policy accept; }
add rule inet qlaunch_lab-1.x guard iifname "lab0" ip daddr 127.0.0.0/8 counter drop
add rule inet qlaunch_lab-1.x guard iifname "lab0" ip saddr 127.0.0.0/8 counter drop
add chain inet qlaunch_lab-1.x forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_lab-1.x forward iifname "lab0" oifname "lab0" counter accept
add rule inet qlaunch_lab-1.x forward oifname "lab0" ct status dnat counter accept
add rule inet qlaunch_lab-1.x forward oifname "lab0" iifname "eth0.7" ip daddr 10.9.0.0/24 ct state established,related counter accept
add rule inet qlaunch_lab-1.x forward oifname "lab0" iifname "eth0.7" ip daddr 10.10.0.0/16 ct state established,related counter accept
add rule inet qlaunch_lab-1.x forward oifname "lab0" counter reject
add rule inet qlaunch_lab-1.x forward iifname "lab0" oifname "eth0.7" ip saddr 10.9.0.0/24 counter accept
add rule inet qlaunch_lab-1.x forward iifname "lab0" oifname "eth0.7" ip saddr 10.10.0.0/16 counter accept
add rule inet qlaunch_lab-1.x forward iifname "lab0" counter reject
add chain inet qlaunch_lab-1.x mss { type filter hook forward priority mangle; policy accept; }
add rule inet qlaunch_lab-1.x mss iifname "lab0" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add rule inet qlaunch_lab-1.x mss oifname "lab0" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add chain inet qlaunch_lab-1.x postrouting { type nat hook postrouting priority srcnat; policy accept; }
add rule inet qlaunch_lab-1.x postrouting ip saddr 10.9.0.0/24 ip daddr 224.0.0.0/24 counter return
add rule inet qlaunch_lab-1.x postrouting ip saddr 10.9.0.0/24 ip daddr 255.255.255.255 counter return
add rule inet qlaunch_lab-1.x postrouting meta l4proto tcp ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 oifname "eth0.7" counter snat ip to 198.51.100.2-198.51.100.4:500-900
add rule inet qlaunch_lab-1.x postrouting meta l4proto udp ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 oifname "eth0.7" counter snat ip to 198.51.100.2-198.51.100.4:500-900
add rule inet qlaunch_lab-1.x postrouting ip saddr 10.9.0.0/24 ip daddr != 10.9.0.0/24 oifname "eth0.7" counter snat ip to 198.51.100.2-198.51.100.4
add rule inet qlaunch_lab-1.x postrouting ip saddr 10.10.0.0/16 ip daddr 224.0.0.0/24 counter return
add rule inet qlaunch_lab-1.x postrouting ip saddr 10.10.0.0/16 ip daddr 255.255.255.255 counter return
add rule inet qlaunch_lab-1.x postrouting meta l4proto tcp ip saddr 10.10.0.0/16 ip daddr != 10.10.0.0/16 oifname "eth0.7" counter snat ip to 198.51.100.2-198.51.100.4:500-900
add rule inet qlaunch_lab-1.x postrouting meta l4proto udp ip saddr 10.10.0.0/16 ip daddr != 10.10.0.0/16 oifname "eth0.7" counter snat ip to 198.51.100.2-198.51.100.4:500-900
add rule inet qlaunch_lab-1.x postrouting ip saddr 10.10.0.0/16 ip daddr != 10.10.0.0/16 oifname "eth0.7" counter snat ip to 198.51.100.2-198.51.100.4
END
# give lab0 its addresses and bring it up
ip -batch - <<'END'
address add 10.9.0.1/24 broadcast + dev lab0
address add 10.10.0.1/16 broadcast + dev lab0
link set dev lab0 up
END
# let the host route IPv4
printf %s 1 > /proc/sys/net/ipv4/ip_forward
# let nobody on lab0 reach 127.0.0.0/8 of this host
printf %s 0 > /proc/sys/net/ipv4/conf/lab0/route_localnet
# write /run/qlaunch/net/lab-1.x.conf
(umask 077 && cat > /run/qlaunch/net/.lab-1.x.conf.new) <<'END'
# Written by qlaunch for the network lab-1.x. To change it: qlaunch net define FILE
strict-order
domain=lab.example
expand-hosts
local=/lab.example/
pid-file=/run/qlaunch/net/lab-1.x.pid
except-interface=lo
bind-dynamic
interface=lab0
dhcp-range=10.9.0.10,10.9.0.20,255.255.255.0,infinite
dhcp-range=10.9.0.30,10.9.0.40,255.255.255.0
dhcp-no-override
dhcp-authoritative
dhcp-ignore-clid
dhcp-lease-max=22
dhcp-leasefile=/var/lib/qlaunch/net/lab-1.x.leases
dhcp-hostsdir=/run/qlaunch/net/lab-1.x.hosts
dhcp-host=52:54:00:00:00:01,10.9.0.99,web
dhcp-option=option:mtu,9000
END
chmod 0644 /run/qlaunch/net/.lab-1.x.conf.new && mv -f /run/qlaunch/net/.lab-1.x.conf.new /run/qlaunch/net/lab-1.x.conf
# let dnsmasq check /run/qlaunch/net/lab-1.x.conf
dnsmasq --test --conf-file=/run/qlaunch/net/lab-1.x.conf
# write /run/qlaunch/net/lab-1.x.json
(umask 077 && cat > /run/qlaunch/net/.lab-1.x.json.new) <<'END'
{"v":1,"name":"lab-1.x","bridge":"lab0","mode":"nat","addresses":["10.9.0.1/24","10.10.0.1/16"],"dnsmasq":true,"dhcp":{"subnet":"10.9.0.0/24","gateway":"10.9.0.1","ranges":[{"start":"10.9.0.10","end":"10.9.0.20"},{"start":"10.9.0.30","end":"10.9.0.40"}],"hosts":[{"mac":"52:54:00:00:00:01","ip":"10.9.0.99"}]}}
END
chmod 0644 /run/qlaunch/net/.lab-1.x.json.new && mv -f /run/qlaunch/net/.lab-1.x.json.new /run/qlaunch/net/lab-1.x.json
