#!/bin/sh
# Compares skiff with podman, docker and buildah in one interleaved run. usage: npm run bench [-- --sid] [--quick] [--only NAME]...
# The peers are this machine's packages or, with --sid, podman 5 and docker 28 of a Debian sid that bench/sid.sh makes. (root)
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "skiff: the bench needs root: it runs the peers as root too" >&2; exit 1; }
peers=host
[ "${1:-}" != --sid ] || { peers=sid; shift; }
sh scripts/build.sh --if-stale
case $peers in
  host) sh scripts/packages.sh bench; exec node_modules/.bin/bun bench/main.ts "$@" ;;
  sid) exec bench/sid.sh node_modules/.bin/bun bench/main.ts "$@" ;;
esac
