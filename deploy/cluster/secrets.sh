#!/bin/sh
# Makes all that a cluster keeps to itself, into a folder that only you can read:
#
#   deploy/cluster/secrets.sh FOLDER nats-1.example nats-2.example nats-3.example
#
#   cluster.secret      for every node, and for nobody else, NATS included: nodes seal by it what they say and store
#   nats.creds          for every node: who it is for NATS
#   nats-secrets.conf   for every server of NATS, beside nats.conf: the same password
#   nats-ca.pem         for every node: who vouches for the servers of NATS (its key is thrown away)
#   HOST.pem, HOST.key  for the server of NATS on HOST: its certificate
#
# What is there already is kept. Needs openssl.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 FOLDER HOST..." >&2; exit 2; }
folder=$1
shift
umask 077
mkdir -p "$folder"
cd "$folder"

[ -e cluster.secret ] || openssl rand -hex 32 > cluster.secret
if [ ! -e nats.creds ]; then
    password=$(openssl rand -hex 24)
    echo "radio:$password" > nats.creds
    echo "RADIO_PASSWORD: \"$password\"" > nats-secrets.conf
fi
if [ ! -e nats-ca.pem ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
        -subj "/CN=NATS of a radio" -keyout ca.key -out nats-ca.pem 2>/dev/null
    for host in "$@"; do
        case $host in
            *[!0-9.]*) name="DNS:$host" ;;
            *) name="IP:$host" ;;
        esac
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
            -subj "/CN=$host" -keyout "$host.key" -out "$host.csr" 2>/dev/null
        printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$name" > "$host.ext"
        openssl x509 -req -in "$host.csr" -CA nats-ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
            -extfile "$host.ext" -out "$host.pem" 2>/dev/null
        rm "$host.csr" "$host.ext"
    done
    rm -f ca.key nats-ca.srl ca.srl
fi
echo "In $folder: cluster.secret and nats.creds for nodes, nats-secrets.conf for NATS, certificates for each host."
