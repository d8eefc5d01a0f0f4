# make the bridge br10
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/br10:0123456789ab
link set dev ql0123456789ab0 name br10
link set dev br10 mtu 1499
link set dev br10 mtu 1500
END
# keep IPv6 off on br10, which has no IPv6 address
printf %s 1 > /proc/sys/net/ipv6/conf/br10/disable_ipv6
# ignore router advertisements on br10
printf %s 0 > /proc/sys/net/ipv6/conf/br10/accept_ra
# take no IPv6 address from guests on br10
printf %s 0 > /proc/sys/net/ipv6/conf/br10/autoconf
# put the rules of the network br10 into nftables
nft -f - <<'END'
create table inet qlaunch_br10 { comment "qlaunch:net/br10:0123456789ab"; }
add chain inet qlaunch_br10 guard { type filter hook prerouting priority raw; policy accept; }
add rule inet qlaunch_br10 guard iifname "br10" ip daddr 127.0.0.0/8 counter drop
add rule inet qlaunch_br10 guard iifname "br10" ip saddr 127.0.0.0/8 counter drop
add chain inet qlaunch_br10 forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_br10 forward iifname "br10" oifname "br10" counter accept
add rule inet qlaunch_br10 forward oifname "br10" ct status dnat counter accept
add rule inet qlaunch_br10 forward oifname "br10" ip daddr 192.168.30.0/24 ct state established,related counter accept
add rule inet qlaunch_br10 forward oifname "br10" counter reject
add rule inet qlaunch_br10 forward iifname "br10" ip saddr 192.168.30.0/24 counter accept
add rule inet qlaunch_br10 forward iifname "br10" counter reject
add chain inet qlaunch_br10 mss { type filter hook forward priority mangle; policy accept; }
add rule inet qlaunch_br10 mss iifname "br10" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add rule inet qlaunch_br10 mss oifname "br10" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add chain inet qlaunch_br10 postrouting { type nat hook postrouting priority srcnat; policy accept; }
add rule inet qlaunch_br10 postrouting ip saddr 192.168.30.0/24 ip daddr 224.0.0.0/24 counter return
add rule inet qlaunch_br10 postrouting ip saddr 192.168.30.0/24 ip daddr 255.255.255.255 counter return
add rule inet qlaunch_br10 postrouting meta l4proto tcp ip saddr 192.168.30.0/24 ip daddr != 192.168.30.0/24 counter masquerade to :1024-65535
add rule inet qlaunch_br10 postrouting meta l4proto udp ip saddr 192.168.30.0/24 ip daddr != 192.168.30.0/24 counter masquerade to :1024-65535
add rule inet qlaunch_br10 postrouting ip saddr 192.168.30.0/24 ip daddr != 192.168.30.0/24 counter masquerade
END
# give br10 its addresses and bring it up
ip -batch - <<'END'
address add 192.168.30.1/24 broadcast + dev br10
link set dev br10 up
END
# let the host route IPv4
printf %s 1 > /proc/sys/net/ipv4/ip_forward
# let nobody on br10 reach 127.0.0.0/8 of this host
printf %s 0 > /proc/sys/net/ipv4/conf/br10/route_localnet
# write /run/qlaunch/net/br10.conf
(umask 077 && cat > /run/qlaunch/net/.br10.conf.new) <<'END'
# Written by qlaunch for the network br10. To change it: qlaunch net define FILE
strict-order
pid-file=/run/qlaunch/net/br10.pid
except-interface=lo
bind-dynamic
interface=br10
dhcp-range=192.168.30.50,192.168.30.200,255.255.255.0
dhcp-no-override
dhcp-authoritative
dhcp-ignore-clid
dhcp-lease-max=151
dhcp-leasefile=/var/lib/qlaunch/net/br10.leases
dhcp-hostsdir=/run/qlaunch/net/br10.hosts
END
chmod 0644 /run/qlaunch/net/.br10.conf.new && mv -f /run/qlaunch/net/.br10.conf.new /run/qlaunch/net/br10.conf
# let dnsmasq check /run/qlaunch/net/br10.conf
dnsmasq --test --conf-file=/run/qlaunch/net/br10.conf
# write /run/qlaunch/net/br10.json
(umask 077 && cat > /run/qlaunch/net/.br10.json.new) <<'END'
{"v":1,"name":"br10","bridge":"br10","mode":"nat","addresses":["192.168.30.1/24"],"dnsmasq":true,"dhcp":{"subnet":"192.168.30.0/24","gateway":"192.168.30.1","ranges":[{"start":"192.168.30.50","end":"192.168.30.200"}],"hosts":[]}}
END
chmod 0644 /run/qlaunch/net/.br10.json.new && mv -f /run/qlaunch/net/.br10.json.new /run/qlaunch/net/br10.json
