#!/bin/sh
# Writes the environment files of the units, with all secrets, into a new folder: weir.env for all services, and beside it
# the NATS login of each and what is a shard's own. Never overwrites one.
set -eu

domain=${1:-}
folder=${2:-/etc/weir}
case $domain in
'' | -* | *[!A-Za-z0-9.-]*)
  echo "usage: ./make-env.sh DOMAIN [FOLDER], for instance ./make-env.sh weir.example.com" >&2
  exit 2
  ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
umask 077
mkdir "$folder" || exit 1
cp "$here/nats.conf" "$folder/nats.conf"
# systemd reads the environment files as root; NATS reads this one, which has no secret, as its own user.
chmod 755 "$folder"
chmod 644 "$folder/nats.conf"
cd "$folder"

bytes() { head -c "$1" /dev/urandom; }
# NATS reads its configuration's variables as values, so a password begins with a letter.
password() { printf 'p%s' "$(bytes 24 | od -An -v -tx1 | tr -d ' \n')"; }
ticket_key() { bytes 32 | base64 | tr '+/' '-_' | tr -d '=\n'; }

cat >weir.env <<END
# For all services: each ignores the settings that only others have (docs/config.md).
WEIR_HOST=127.0.0.1
WEIR_ROUTER_URL=wss://$domain
WEIR_TRUSTED_PROXIES=127.0.0.1
WEIR_TICKET_KEYS=k1:$(ticket_key)
WEIR_API_KEYS=$(password)
END

echo "PUBLISHERS_PASSWORD=$(password)" >nats.env
for service in router shard publisher control; do
  secret=$(password)
  name=$(echo "$service" | tr '[:lower:]' '[:upper:]')
  echo "WEIR_${name}_PASSWORD=$secret" >>nats.env
  printf 'WEIR_NATS_USER=weir-%s\nWEIR_NATS_PASSWORD=%s\n' "$service" "$secret" >"$service.env"
done
echo "WEIR_PUBLIC_URL=wss://$domain" >>router.env
printf 'WEIR_CONSOLE=true\nWEIR_CONSOLE_TOKEN=%s\n' "$(password)" >>control.env

number=1
for shard in desktop-1 desktop-2 mobile-1; do
  cat >"shard-$shard.env" <<END
WEIR_POOL=${shard%-*}
WEIR_PORT=809$number
WEIR_ADMIN_PORT=919$number
WEIR_PUBLIC_URL=wss://$domain/s/$shard
WEIR_CAPACITY=4000
END
  number=$((number + 1))
done
echo "wrote $folder for wss://$domain"
