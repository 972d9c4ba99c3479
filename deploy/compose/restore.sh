#!/bin/sh
# Replaces the store of NATS by that of a file of back-up.sh. Shards keep running: they notice the other store, and clients
# get its contents.
set -eu
cd "$(dirname "$0")"

file=${1:?usage: ./restore.sh FILE}
# Read to its end before anything is removed.
gzip --test "$file"

# Publishers must not write into a store that is about to go.
docker compose stop publisher nats
project=$(docker compose config --format json | sed -n 's/^  "name": "\(.*\)",*$/\1/p')
docker compose rm --force nats
docker volume rm "${project}_nats"
docker compose up --no-start --no-deps nats
gzip --decompress --stdout "$file" | docker cp - "$(docker compose ps --all --quiet nats):/data"
docker compose up --detach --no-deps --wait nats publisher
echo "restored $file"
