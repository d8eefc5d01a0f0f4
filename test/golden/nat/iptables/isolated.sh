# guard and translate the network alone in the table filter by iptables
iptables-restore --noflush -w <<'END'
*filter
-N ql-0123456789ab-guard
-A ql-0123456789ab-guard -i qbr7 -o qbr7 -j RETURN
-A ql-0123456789ab-guard -o qbr7 -j REJECT
-A ql-0123456789ab-guard -i qbr7 -j REJECT
-N ql-0123456789ab-pass
-A ql-0123456789ab-pass -i qbr7 -j ACCEPT
-A ql-0123456789ab-pass -o qbr7 -j ACCEPT
-N ql-0123456789ab-in
-A ql-0123456789ab-in -i qbr7 -p udp --dport 67 -j ACCEPT
-A ql-0123456789ab-in -i qbr7 -p udp --dport 53 -j ACCEPT
-A ql-0123456789ab-in -i qbr7 -p tcp --dport 53 -j ACCEPT
-N ql-0123456789ab-out
-A ql-0123456789ab-out -o qbr7 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A ql-0123456789ab-out -o qbr7 -p udp --dport 68 -j ACCEPT
-I FORWARD 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-guard
-I FORWARD 2 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-pass
-I INPUT 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-in
-I OUTPUT 1 -m comment --comment "qlaunch:net/x:0123456789ab" -j ql-0123456789ab-out
COMMIT
END
