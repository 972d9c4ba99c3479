#!/bin/sh
# Writes the store of NATS, with both streams, into a file. NATS is stopped meanwhile: clients stay connected and see no
# news, and publishers get errors.
set -eu
cd "$(dirname "$0")"

file=${1:-weir-$(date -u +%Y%m%dT%H%M%SZ).tar.gz}
if [ -e "$file" ]; then
  echo "$file is there already" >&2
  exit 1
fi
container=$(docker compose ps --all --quiet nats)
[ -n "$container" ] || { echo "there is no container of nats: docker compose up --detach" >&2; exit 1; }

umask 077
copy=$(mktemp "$file.XXXXXX")
start() { docker compose up --detach --no-deps --no-recreate --wait nats; }
trap 'rm -f "$copy"; start' EXIT
docker compose stop nats
docker cp "$container:/data/." - >"$copy"
start
gzip <"$copy" >"$copy.gz"
rm "$copy"
mv "$copy.gz" "$file"
trap - EXIT
echo "wrote $file"
