# ufw drops in ip filter INPUT by the rule "drop" of ufw-skip-to-policy-input: guests ask for an address, guests ask for names, guests ask for names (TCP)
# ufw drops in ip filter FORWARD by its policy: guests reach out, forwards reach guests
# let ufw allow in on lab0 to any port 67 proto udp
ufw allow in on lab0 to any port 67 proto udp comment qlaunch:net/lab:0123456789ab/in-on-to-any-port-67-proto-udp
# let ufw allow in on lab0 to any port 53
ufw allow in on lab0 to any port 53 comment qlaunch:net/lab:0123456789ab/in-on-to-any-port-53
# let ufw allow route in on lab0
ufw route allow in on lab0 comment qlaunch:net/lab:0123456789ab/route-in-on
# let ufw allow route out on lab0
ufw route allow out on lab0 comment qlaunch:net/lab:0123456789ab/route-out-on
