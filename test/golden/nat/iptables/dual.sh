# guard and translate the network dual in the table raw by iptables
iptables-restore --noflush -w <<'END'
*raw
-N ql-0123456789ab-loop
-A ql-0123456789ab-loop -i qbr7 -d 127.0.0.0/8 -j DROP
-A ql-0123456789ab-loop -i qbr7 -s 127.0.0.0/8 -j DROP
-I PREROUTING 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-loop
COMMIT
END
# guard and translate the network dual in the table mangle by iptables
iptables-restore --noflush -w <<'END'
*mangle
-N ql-0123456789ab-mss
-A ql-0123456789ab-mss -i qbr7 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-A ql-0123456789ab-mss -o qbr7 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-I FORWARD 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-mss
COMMIT
END
# guard and translate the network dual in the table filter by iptables
iptables-restore --noflush -w <<'END'
*filter
-N ql-0123456789ab-guard
-A ql-0123456789ab-guard -i qbr7 -o qbr7 -j RETURN
-A ql-0123456789ab-guard -o qbr7 -m conntrack --ctstate DNAT -j RETURN
-A ql-0123456789ab-guard -o qbr7 -d 10.9.0.0/24 -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A ql-0123456789ab-guard -o qbr7 -j REJECT
-A ql-0123456789ab-guard -i qbr7 -s 10.9.0.0/24 -j RETURN
-A ql-0123456789ab-guard -i qbr7 -j REJECT
-N ql-0123456789ab-pass
-A ql-0123456789ab-pass -i qbr7 -j ACCEPT
-A ql-0123456789ab-pass -o qbr7 -j ACCEPT
-N ql-0123456789ab-in
-A ql-0123456789ab-in -i qbr7 -p udp --dport 53 -j ACCEPT
-A ql-0123456789ab-in -i qbr7 -p tcp --dport 53 -j ACCEPT
-N ql-0123456789ab-out
-A ql-0123456789ab-out -o qbr7 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-I FORWARD 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-guard
-I FORWARD 2 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-pass
-I INPUT 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-in
-I OUTPUT 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-out
COMMIT
END
# guard and translate the network dual in the table nat by iptables
iptables-restore --noflush -w <<'END'
*nat
-N ql-0123456789ab-nat
-A ql-0123456789ab-nat -s 10.9.0.0/24 -d 224.0.0.0/24 -j RETURN
-A ql-0123456789ab-nat -s 10.9.0.0/24 -d 255.255.255.255 -j RETURN
-A ql-0123456789ab-nat -p tcp -s 10.9.0.0/24 ! -d 10.9.0.0/24 -j MASQUERADE --to-ports 1024-65535
-A ql-0123456789ab-nat -p udp -s 10.9.0.0/24 ! -d 10.9.0.0/24 -j MASQUERADE --to-ports 1024-65535
-A ql-0123456789ab-nat -s 10.9.0.0/24 ! -d 10.9.0.0/24 -j MASQUERADE
-I POSTROUTING 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-nat
COMMIT
END
# guard and translate the network dual in the table mangle by ip6tables
ip6tables-restore --noflush -w <<'END'
*mangle
-N ql-0123456789ab-mss
-A ql-0123456789ab-mss -i qbr7 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-A ql-0123456789ab-mss -o qbr7 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-I FORWARD 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-mss
COMMIT
END
# guard and translate the network dual in the table filter by ip6tables
ip6tables-restore --noflush -w <<'END'
*filter
-N ql-0123456789ab-guard
-A ql-0123456789ab-guard -i qbr7 -o qbr7 -j RETURN
-A ql-0123456789ab-guard -o qbr7 -m conntrack --ctstate DNAT -j RETURN
-A ql-0123456789ab-guard -o qbr7 -d fd12:3456:789a::/64 -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A ql-0123456789ab-guard -o qbr7 -d 2001:db8:5::/64 -j RETURN
-A ql-0123456789ab-guard -o qbr7 -j REJECT
-A ql-0123456789ab-guard -i qbr7 -s fd12:3456:789a::/64 -j RETURN
-A ql-0123456789ab-guard -i qbr7 -s 2001:db8:5::/64 -j RETURN
-A ql-0123456789ab-guard -i qbr7 -j REJECT
-N ql-0123456789ab-pass
-A ql-0123456789ab-pass -i qbr7 -j ACCEPT
-A ql-0123456789ab-pass -o qbr7 -j ACCEPT
-N ql-0123456789ab-in
-A ql-0123456789ab-in -i qbr7 -p udp --dport 547 -j ACCEPT
-A ql-0123456789ab-in -i qbr7 -p udp --dport 53 -j ACCEPT
-A ql-0123456789ab-in -i qbr7 -p tcp --dport 53 -j ACCEPT
-A ql-0123456789ab-in -i qbr7 -p ipv6-icmp --icmpv6-type 133 -j ACCEPT
-A ql-0123456789ab-in -i qbr7 -p ipv6-icmp --icmpv6-type 135 -j ACCEPT
-A ql-0123456789ab-in -i qbr7 -p ipv6-icmp --icmpv6-type 136 -j ACCEPT
-N ql-0123456789ab-out
-A ql-0123456789ab-out -o qbr7 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A ql-0123456789ab-out -o qbr7 -p udp --dport 546 -j ACCEPT
-A ql-0123456789ab-out -o qbr7 -p ipv6-icmp --icmpv6-type 134 -j ACCEPT
-A ql-0123456789ab-out -o qbr7 -p ipv6-icmp --icmpv6-type 135 -j ACCEPT
-A ql-0123456789ab-out -o qbr7 -p ipv6-icmp --icmpv6-type 136 -j ACCEPT
-I FORWARD 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-guard
-I FORWARD 2 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-pass
-I INPUT 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-in
-I OUTPUT 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-out
COMMIT
END
# guard and translate the network dual in the table nat by ip6tables
ip6tables-restore --noflush -w <<'END'
*nat
-N ql-0123456789ab-nat
-A ql-0123456789ab-nat -s fd12:3456:789a::/64 -d ff02::/16 -j RETURN
-A ql-0123456789ab-nat -p tcp -s fd12:3456:789a::/64 ! -d fd12:3456:789a::/64 -j SNAT --to-source [fd00:a::1]-[fd00:a::4]:1024-65535
-A ql-0123456789ab-nat -p udp -s fd12:3456:789a::/64 ! -d fd12:3456:789a::/64 -j SNAT --to-source [fd00:a::1]-[fd00:a::4]:1024-65535
-A ql-0123456789ab-nat -s fd12:3456:789a::/64 ! -d fd12:3456:789a::/64 -j SNAT --to-source fd00:a::1-fd00:a::4
-I POSTROUTING 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-nat
COMMIT
END
