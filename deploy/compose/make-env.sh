#!/bin/sh
# Writes .env with the names and all secrets of this installation; never overwrites one.
set -eu
cd "$(dirname "$0")"

domain=${1:-}
port=${2:-443}
case $domain in
'' | -* | *[!A-Za-z0-9.-]*)
  echo "usage: ./make-env.sh DOMAIN [PORT], for instance ./make-env.sh weir.example.com" >&2
  exit 2
  ;;
esac
case $port in
*[!0-9]* | ??????*) port=0 ;;
esac
if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
  echo "the port must be a number from 1 to 65535, got $2" >&2
  exit 2
fi
if [ -e .env ]; then
  echo ".env is there already, and its secrets are in use: remove it yourself if you mean to make others" >&2
  exit 1
fi

bytes() { head -c "$1" /dev/urandom; }
# NATS reads its configuration's variables as values, so a password begins with a letter.
password() { printf 'p%s' "$(bytes 24 | od -An -v -tx1 | tr -d ' \n')"; }
ticket_key() { bytes 32 | base64 | tr '+/' '-_' | tr -d '=\n'; }

url=wss://$domain
[ "$port" = 443 ] || url=$url:$port

umask 077
cat >.env.new <<END
# Made by make-env.sh. Secret; keep a copy elsewhere. Which secret is whose: docs/one-host.md.
DOMAIN=$domain
HTTPS_PORT=$port
PUBLIC_URL=$url
WEIR_TICKET_KEYS=k1:$(ticket_key)
WEIR_API_KEYS=$(password)
WEIR_CONSOLE_TOKEN=$(password)
NATS_PASSWORD_PUBLISHERS=$(password)
NATS_PASSWORD_PUBLISHER=$(password)
NATS_PASSWORD_ROUTER=$(password)
NATS_PASSWORD_SHARD=$(password)
NATS_PASSWORD_CONTROL=$(password)
END
mv -n .env.new .env
echo "wrote .env for $url"
