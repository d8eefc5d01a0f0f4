# guard and translate the network lab-1.x in the table raw by iptables
iptables-restore --noflush -w <<'END'
*raw
-N ql-0123456789ab-loop
-A ql-0123456789ab-loop -i lab0 -d 127.0.0.0/8 -j DROP
-A ql-0123456789ab-loop -i lab0 -s 127.0.0.0/8 -j DROP
-I PREROUTING 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-loop
COMMIT
END
# guard and translate the network lab-1.x in the table mangle by iptables
iptables-restore --noflush -w <<'END'
*mangle
-N ql-0123456789ab-mss
-A ql-0123456789ab-mss -i lab0 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-A ql-0123456789ab-mss -o lab0 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
-I FORWARD 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-mss
COMMIT
END
# guard and translate the network lab-1.x in the table filter by iptables
iptables-restore --noflush -w <<'END'
*filter
-N ql-0123456789ab-guard
-A ql-0123456789ab-guard -i lab0 -o lab0 -j RETURN
-A ql-0123456789ab-guard -o lab0 -m conntrack --ctstate DNAT -j RETURN
-A ql-0123456789ab-guard -o lab0 -i eth0.7 -d 10.9.0.0/24 -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A ql-0123456789ab-guard -o lab0 -i eth0.7 -d 10.10.0.0/16 -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A ql-0123456789ab-guard -o lab0 -j REJECT
-A ql-0123456789ab-guard -i lab0 -o eth0.7 -s 10.9.0.0/24 -j RETURN
-A ql-0123456789ab-guard -i lab0 -o eth0.7 -s 10.10.0.0/16 -j RETURN
-A ql-0123456789ab-guard -i lab0 -j REJECT
-N ql-0123456789ab-pass
-A ql-0123456789ab-pass -i lab0 -j ACCEPT
-A ql-0123456789ab-pass -o lab0 -j ACCEPT
-N ql-0123456789ab-in
-A ql-0123456789ab-in -i lab0 -p udp --dport 67 -j ACCEPT
-A ql-0123456789ab-in -i lab0 -p udp --dport 53 -j ACCEPT
-A ql-0123456789ab-in -i lab0 -p tcp --dport 53 -j ACCEPT
-N ql-0123456789ab-out
-A ql-0123456789ab-out -o lab0 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A ql-0123456789ab-out -o lab0 -p udp --dport 68 -j ACCEPT
-I FORWARD 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-guard
-I FORWARD 2 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-pass
-I INPUT 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-in
-I OUTPUT 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-out
COMMIT
END
# guard and translate the network lab-1.x in the table nat by iptables
iptables-restore --noflush -w <<'END'
*nat
-N ql-0123456789ab-nat
-A ql-0123456789ab-nat -s 10.9.0.0/24 -d 224.0.0.0/24 -j RETURN
-A ql-0123456789ab-nat -s 10.9.0.0/24 -d 255.255.255.255 -j RETURN
-A ql-0123456789ab-nat -p tcp -s 10.9.0.0/24 ! -d 10.9.0.0/24 -o eth0.7 -j SNAT --to-source 198.51.100.2-198.51.100.4:500-900
-A ql-0123456789ab-nat -p udp -s 10.9.0.0/24 ! -d 10.9.0.0/24 -o eth0.7 -j SNAT --to-source 198.51.100.2-198.51.100.4:500-900
-A ql-0123456789ab-nat -s 10.9.0.0/24 ! -d 10.9.0.0/24 -o eth0.7 -j SNAT --to-source 198.51.100.2-198.51.100.4
-A ql-0123456789ab-nat -s 10.10.0.0/16 -d 224.0.0.0/24 -j RETURN
-A ql-0123456789ab-nat -s 10.10.0.0/16 -d 255.255.255.255 -j RETURN
-A ql-0123456789ab-nat -p tcp -s 10.10.0.0/16 ! -d 10.10.0.0/16 -o eth0.7 -j SNAT --to-source 198.51.100.2-198.51.100.4:500-900
-A ql-0123456789ab-nat -p udp -s 10.10.0.0/16 ! -d 10.10.0.0/16 -o eth0.7 -j SNAT --to-source 198.51.100.2-198.51.100.4:500-900
-A ql-0123456789ab-nat -s 10.10.0.0/16 ! -d 10.10.0.0/16 -o eth0.7 -j SNAT --to-source 198.51.100.2-198.51.100.4
-I POSTROUTING 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-nat
COMMIT
END
