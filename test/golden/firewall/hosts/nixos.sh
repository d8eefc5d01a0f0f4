# NixOS drops in ip filter INPUT by the rule "drop" of nixos-fw-refuse: guests ask for an address, guests ask for names, guests ask for names (TCP)
# let ip filter nixos-fw-refuse accept what comes from lab0, udp port 67
nft insert rule ip filter nixos-fw-refuse index 0 iifname '"lab0"' udp dport 67 counter accept comment '"qlaunch:net/lab:0123456789ab/inudp67"'
# let ip filter nixos-fw-refuse accept what comes from lab0, udp port 53
nft insert rule ip filter nixos-fw-refuse index 0 iifname '"lab0"' udp dport 53 counter accept comment '"qlaunch:net/lab:0123456789ab/inudp53"'
# let ip filter nixos-fw-refuse accept what comes from lab0, tcp port 53
nft insert rule ip filter nixos-fw-refuse index 0 iifname '"lab0"' tcp dport 53 counter accept comment '"qlaunch:net/lab:0123456789ab/intcp53"'
