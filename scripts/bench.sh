#!/bin/sh
# Compares skiff with podman and docker in one interleaved run. usage: npm run bench [-- --quick]     (root)
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "skiff: the bench needs root: it runs the peers as root too" >&2; exit 1; }
sh scripts/packages.sh bench
sh scripts/build.sh --if-stale
exec node_modules/.bin/bun bench/main.ts "$@"
