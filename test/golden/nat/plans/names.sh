# make the bridge qbr7
ip -batch - <<'END'
link add name ql0123456789ab0 address 52:54:00:aa:bb:cc type bridge stp_state 1 forward_delay 0
link set dev ql0123456789ab0 alias qlaunch:net/names:0123456789ab
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
# put the rules of the network names into nftables
nft -f - <<'END'
create table inet qlaunch_names { comment "qlaunch:net/names:0123456789ab"; }
add chain inet qlaunch_names guard { type filter hook prerouting priority raw; policy accept; }
add rule inet qlaunch_names guard iifname "qbr7" ip daddr 127.0.0.0/8 counter drop
add rule inet qlaunch_names guard iifname "qbr7" ip saddr 127.0.0.0/8 counter drop
add chain inet qlaunch_names forward { type filter hook forward priority filter; policy accept; }
add rule inet qlaunch_names forward iifname "qbr7" oifname "qbr7" counter accept
add rule inet qlaunch_names forward oifname "qbr7" ct status dnat counter accept
add rule inet qlaunch_names forward oifname "qbr7" ip daddr 10.9.0.0/16 ct state established,related counter accept
add rule inet qlaunch_names forward oifname "qbr7" ip6 daddr fd00::/64 ct state established,related counter accept
add rule inet qlaunch_names forward oifname "qbr7" counter reject
add rule inet qlaunch_names forward iifname "qbr7" ip saddr 10.9.0.0/16 counter accept
add rule inet qlaunch_names forward iifname "qbr7" ip6 saddr fd00::/64 counter accept
add rule inet qlaunch_names forward iifname "qbr7" counter reject
add chain inet qlaunch_names mss { type filter hook forward priority mangle; policy accept; }
add rule inet qlaunch_names mss iifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add rule inet qlaunch_names mss oifname "qbr7" tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu
add chain inet qlaunch_names postrouting { type nat hook postrouting priority srcnat; policy accept; }
add rule inet qlaunch_names postrouting ip saddr 10.9.0.0/16 ip daddr 224.0.0.0/24 counter return
add rule inet qlaunch_names postrouting ip saddr 10.9.0.0/16 ip daddr 255.255.255.255 counter return
add rule inet qlaunch_names postrouting meta l4proto tcp ip saddr 10.9.0.0/16 ip daddr != 10.9.0.0/16 counter masquerade to :1024-65535
add rule inet qlaunch_names postrouting meta l4proto udp ip saddr 10.9.0.0/16 ip daddr != 10.9.0.0/16 counter masquerade to :1024-65535
add rule inet qlaunch_names postrouting ip saddr 10.9.0.0/16 ip daddr != 10.9.0.0/16 counter masquerade
add rule inet qlaunch_names postrouting ip6 saddr fd00::/64 ip6 daddr ff02::/16 counter return
add rule inet qlaunch_names postrouting meta l4proto tcp ip6 saddr fd00::/64 ip6 daddr != fd00::/64 counter masquerade to :1024-65535
add rule inet qlaunch_names postrouting meta l4proto udp ip6 saddr fd00::/64 ip6 daddr != fd00::/64 counter masquerade to :1024-65535
add rule inet qlaunch_names postrouting ip6 saddr fd00::/64 ip6 daddr != fd00::/64 counter masquerade
END
# give qbr7 its addresses and bring it up
ip -batch - <<'END'
address add 10.9.0.1/16 broadcast + dev qbr7
address add fd00::1/64 dev qbr7
link set dev qbr7 up
route replace 10.50.0.0/16 via 10.9.0.40 dev qbr7 metric 7
route replace fd50::/48 via fd00::40 dev qbr7
END
# let the host route IPv4
printf %s 1 > /proc/sys/net/ipv4/ip_forward
# hear router advertisements on eth0 also while the host routes IPv6
printf %s 2 > /proc/sys/net/ipv6/conf/eth0/accept_ra
# let the host route IPv6
printf %s 1 > /proc/sys/net/ipv6/conf/all/forwarding
# let nobody on qbr7 reach 127.0.0.0/8 of this host
printf %s 0 > /proc/sys/net/ipv4/conf/qbr7/route_localnet
# write /run/qlaunch/net/names.conf
(umask 077 && cat > /run/qlaunch/net/.names.conf.new) <<'END'
# Written by qlaunch for the network names. To change it: qlaunch net define FILE
strict-order
server=/corp.example/10.1.1.1
server=/open.example/#
server=2001:db8::53
domain=lab.example
expand-hosts
local=/lab.example/
local=/9.10.in-addr.arpa/
local=/0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa/
domain-needed
local=//
no-resolv
pid-file=/run/qlaunch/net/names.pid
except-interface=lo
bind-dynamic
interface=qbr7
host-record=gw.lab.example,gw,www.other.example,10.9.0.5
host-record=gw.lab.example,gw,fd00::5
txt-record=_dmarc.lab.example,"v=DMARC1; p=none, \"x\" \\ # y"
srv-host=_ldap._tcp,gw.lab.example,389,1,2
srv-host=_kerberos._udp.lab.example
dhcp-range=10.9.0.10,10.9.0.20,255.255.0.0
dhcp-range=fd00::1,ra-only
dhcp-no-override
dhcp-authoritative
dhcp-ignore-clid
dhcp-lease-max=11
dhcp-leasefile=/var/lib/qlaunch/net/names.leases
dhcp-hostsdir=/run/qlaunch/net/names.hosts
dhcp-host=10.9.0.30,byname
enable-tftp
tftp-root=/srv/tftp
dhcp-boot=pxelinux.0,,10.9.0.2
dhcp-option=42,10.9.0.1
log-queries
END
chmod 0644 /run/qlaunch/net/.names.conf.new && mv -f /run/qlaunch/net/.names.conf.new /run/qlaunch/net/names.conf
# let dnsmasq check /run/qlaunch/net/names.conf
dnsmasq --test --conf-file=/run/qlaunch/net/names.conf
# write /run/qlaunch/net/names.json
(umask 077 && cat > /run/qlaunch/net/.names.json.new) <<'END'
{"v":1,"name":"names","bridge":"qbr7","mode":"nat","addresses":["10.9.0.1/16","fd00::1/64"],"dnsmasq":true,"dhcp":{"subnet":"10.9.0.0/16","gateway":"10.9.0.1","ranges":[{"start":"10.9.0.10","end":"10.9.0.20"}],"hosts":[]}}
END
chmod 0644 /run/qlaunch/net/.names.json.new && mv -f /run/qlaunch/net/.names.json.new /run/qlaunch/net/names.json
