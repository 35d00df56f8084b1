#!/bin/sh
# Installs the peers of the system tests from Debian where they are missing. Run it as root.
# No daemon is started, now or at boot: each test starts what it needs, on loopback and on free ports, and stops it.
set -eu

missing=
need () {
  command -v "$1" > /dev/null || case " $missing " in (*" $2 "*) ;; (*) missing="$missing $2" ;; esac
}
need prometheus prometheus
need promtool prometheus
need prometheus-alertmanager prometheus-alertmanager
need amtool prometheus-alertmanager
need haproxy haproxy
need chromium chromium
need nginx nginx-light
need redis-server redis-server
need curl curl
need htpasswd apache2-utils
need openssl openssl
need smtpd opensmtpd
need memcached memcached
need mariadbd mariadb-server
need mariadb-install-db mariadb-server
# Debian keeps PostgreSQL's programs where no path leads.
ls /usr/lib/postgresql/*/bin/postgres > /dev/null 2>&1 || missing="$missing postgresql"

if [ -z "$missing" ]; then
  echo 'the peers of the system tests are installed'
  exit 0
fi

# https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt: 101 is "do not start it".
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # a list of names
apt-get install -q -y --no-install-recommends $missing

if command -v systemctl > /dev/null; then
  for daemon in prometheus prometheus-alertmanager haproxy nginx memcached redis-server mariadb postgresql; do
    case " $missing" in (*" $daemon"*) systemctl disable "$daemon" > /dev/null 2>&1 || true ;; esac
  done
fi
