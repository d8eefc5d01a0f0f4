# Docker drops in ip filter FORWARD by its policy: guests reach out, answers come back to guests, forwards reach guests, guests reach each other
# let ip filter DOCKER-USER accept what comes from lab0
iptables -w -I DOCKER-USER 1 -i lab0 -m comment --comment qlaunch:net/lab:0123456789ab -j ACCEPT
# leave to Docker what comes from lab0 for docker0
iptables -w -I DOCKER-USER 1 -i lab0 -o docker0 -m comment --comment qlaunch:net/lab:0123456789ab -j RETURN
# let ip filter DOCKER-USER accept what goes to lab0
iptables -w -I DOCKER-USER 1 -o lab0 -m comment --comment qlaunch:net/lab:0123456789ab -j ACCEPT
