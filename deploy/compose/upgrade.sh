#!/bin/sh
# Brings the running containers to what compose.yaml, .env and settings.env say now, one service after another; each must
# be healthy before the next is replaced. A shard moves its clients to the other shards before it ends. Arguments go to
# `docker compose up`: --force-recreate replaces also what has not changed.
set -eu
cd "$(dirname "$0")"

shards() { docker compose config --services | grep -E '^[a-z]+-[0-9]+$' | sort; }

replace() {
  echo "$1"
  docker compose up --detach --no-deps --no-build --wait --wait-timeout 180 "$@"
}

# Images that no registry has are those of this host.
docker compose pull --quiet --ignore-pull-failures 2>/dev/null || true

# Caddy comes last: its restart ends all connections, and clients resume. It is replaced only where it has changed.
for service in nats control publisher router $(shards) caddy; do
  replace "$service" "$@"
done
