#!/bin/sh
# Made the certificates beside it, once, with OpenSSL 3, and the key of all of them but the issuer, whose own was thrown away.
# Only tests trust that issuer.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/ca.conf" <<'CONF'
[ca]
default_ca = tests
[tests]
new_certs_dir = $ENV::WORK
database = $ENV::WORK/index
serial = $ENV::WORK/serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[issuer]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[req]
distinguished_name = none
[none]
CONF
export WORK="$work"
: > "$work/index"
echo 01 > "$work/serial"

key () { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

key "$work/ca.key"
openssl req -new -config "$work/ca.conf" -key "$work/ca.key" -subj '/CN=Tests of checks' -out "$work/ca.csr"
openssl ca -batch -config "$work/ca.conf" -selfsign -keyfile "$work/ca.key" -extensions issuer -notext \
  -startdate 20200101000000Z -enddate 21240101000000Z -in "$work/ca.csr" -out ca.pem

# name, alternative names, start, end, purpose
leaf () {
  openssl req -new -config "$work/ca.conf" -key server.key -subj "/CN=$1" -addext "subjectAltName = $2" -addext "extendedKeyUsage = ${5:-serverAuth}" -out "$work/leaf.csr"
  openssl ca -batch -config "$work/ca.conf" -cert ca.pem -keyfile "$work/ca.key" -notext \
    -startdate "$3" -enddate "$4" -in "$work/leaf.csr" -out "$1.pem"
}
key server.key
here='DNS:localhost, DNS:xn--bcher-kva.example, IP:127.0.0.1, IP:::1'
leaf good "$here" 20200101000000Z 21230101000000Z
leaf expired "$here" 20200101000000Z 20200201000000Z
leaf early "$here" 21220101000000Z 21230101000000Z
leaf other-name 'DNS:other.example' 20200101000000Z 21230101000000Z
leaf client "$here" 20200101000000Z 21230101000000Z clientAuth
