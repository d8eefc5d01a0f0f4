# firewalld drops in inet firewalld filter_INPUT by the rule "reject with icmpx admin-prohibited" of filter_IN_public: guests ask for an address, guests ask for names, guests ask for names (TCP)
# firewalld drops in inet firewalld filter_FORWARD by the rule "reject with icmpx admin-prohibited" of filter_FWD_public: guests reach out
# keep guests of lab0 from all of this host but DHCP, DNS, SSH and TFTP
nft -f - <<'END'
add chain inet qlaunch_lab host { type filter hook input priority filter; policy accept; }
flush chain inet qlaunch_lab host
add rule inet qlaunch_lab host iifname "lab0" ct state established,related accept
add rule inet qlaunch_lab host iifname "lab0" meta l4proto { icmp, ipv6-icmp } accept
add rule inet qlaunch_lab host iifname "lab0" udp dport { 53, 67, 69, 547 } counter accept
add rule inet qlaunch_lab host iifname "lab0" tcp dport { 22, 53 } counter accept
add rule inet qlaunch_lab host iifname "lab0" counter reject
END
# put lab0 into firewalld's zone trusted
firewall-cmd --zone=trusted --change-interface=lab0
