#!/bin/sh
# Run in namespaces of its own (network and mounts): loopback works, and all that would leave the
# machine goes into an interface that leads nowhere and counts. Names are looked up there too. The
# interface asks for no neighbour, no router and no group, so that the kernel itself sends nothing.
# It lasts until standard input ends.
set -eu
PATH=$PATH:/usr/sbin:/sbin
ip link set lo up
ip link add watched type veth peer name nowhere
for end in watched nowhere; do
    ip link set "$end" arp off multicast off addrgenmode none
    ip link set "$end" up
done
ip address add 198.51.100.2/24 dev watched
ip address add 2001:db8::2/64 dev watched nodad
ip route add default via 198.51.100.1
ip route add default via 2001:db8::1
names=$(mktemp)
printf 'nameserver 198.51.100.1\noptions timeout:1 attempts:1\n' >"$names"
mount --bind "$names" "$(readlink -f /etc/resolv.conf)"
rm "$names"
echo closed
cat >/dev/null
