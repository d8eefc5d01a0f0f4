# make the bridge virbr0
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/default:0123456789ab
link set dev ql0123456789ab0 name virbr0
link set dev virbr0 mtu 1499
link set dev virbr0 mtu 1500
END
# keep IPv6 off on virbr0, which has no IPv6 address
printf %s 1 > /proc/sys/net/ipv6/conf/virbr0/disable_ipv6
# ignore router advertisements on virbr0
printf %s 0 > /proc/sys/net/ipv6/conf/virbr0/accept_ra
# take no IPv6 address from guests on virbr0
printf %s 0 > /proc/sys/net/ipv6/conf/virbr0/autoconf
# put the rules of the network default into nftables
nft -f - <<'END'
create table inet qlaunch_default { comment "qlaunch:net/default:0123456789ab"; }
add chain inet qlaunch_default guard { type filter hook prerouting priority raw; policy accept; }
add rule inet qlaunch_default guard iifname "virbr0" ip daddr 127.0.0.0/8 counter drop
add rule inet qlaunch_default guard iifname "virbr0" ip saddr 127.0.0.0/8 counter drop
add chain inet qlaunch_default forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_default forward iifname "virbr0" oifname "virbr0" counter accept
add rule inet qlaunch_default forward oifname "virbr0" ct status dnat counter accept
add rule inet qlaunch_default forward oifname "virbr0" ip daddr 192.168.122.0/24 ct state established,related counter accept
add rule inet qlaunch_default forward oifname "virbr0" counter reject
add rule inet qlaunch_default forward iifname "virbr0" ip saddr 192.168.122.0/24 counter accept
add rule inet qlaunch_default forward iifname "virbr0" counter reject
add chain inet qlaunch_default mss { type filter hook forward priority mangle; policy accept; }
add rule inet qlaunch_default mss iifname "virbr0" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add rule inet qlaunch_default mss oifname "virbr0" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add chain inet qlaunch_default postrouting { type nat hook postrouting priority srcnat; policy accept; }
add rule inet qlaunch_default postrouting ip saddr 192.168.122.0/24 ip daddr 224.0.0.0/24 counter return
add rule inet qlaunch_default postrouting ip saddr 192.168.122.0/24 ip daddr 255.255.255.255 counter return
add rule inet qlaunch_default postrouting meta l4proto tcp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter masquerade to :1024-65535
add rule inet qlaunch_default postrouting meta l4proto udp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter masquerade to :1024-65535
add rule inet qlaunch_default postrouting ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter masquerade
END
# give virbr0 its addresses and bring it up
ip -batch - <<'END'
address add 192.168.122.1/24 broadcast + dev virbr0
link set dev virbr0 up
END
# let the host route IPv4
printf %s 1 > /proc/sys/net/ipv4/ip_forward
# let nobody on virbr0 reach 127.0.0.0/8 of this host
printf %s 0 > /proc/sys/net/ipv4/conf/virbr0/route_localnet
# write /run/qlaunch/net/default.conf
(umask 077 && cat > /run/qlaunch/net/.default.conf.new) <<'END'
# Written by qlaunch for the network default. To change it: qlaunch net define FILE
strict-order
pid-file=/run/qlaunch/net/default.pid
except-interface=lo
bind-dynamic
interface=virbr0
dhcp-range=192.168.122.2,192.168.122.254,255.255.255.0
dhcp-no-override
dhcp-authoritative
dhcp-ignore-clid
dhcp-lease-max=253
dhcp-leasefile=/var/lib/qlaunch/net/default.leases
dhcp-hostsdir=/run/qlaunch/net/default.hosts
END
chmod 0644 /run/qlaunch/net/.default.conf.new && mv -f /run/qlaunch/net/.default.conf.new /run/qlaunch/net/default.conf
# let dnsmasq check /run/qlaunch/net/default.conf
dnsmasq --test --conf-file=/run/qlaunch/net/default.conf
# write /run/qlaunch/net/default.json
(umask 077 && cat > /run/qlaunch/net/.default.json.new) <<'END'
{"v":1,"name":"default","bridge":"virbr0","mode":"nat","addresses":["192.168.122.1/24"],"dnsmasq":true,"dhcp":{"subnet":"192.168.122.0/24","gateway":"192.168.122.1","ranges":[{"start":"192.168.122.2","end":"192.168.122.254"}],"hosts":[]}}
END
chmod 0644 /run/qlaunch/net/.default.json.new && mv -f /run/qlaunch/net/.default.json.new /run/qlaunch/net/default.json
