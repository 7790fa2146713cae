#!/bin/sh
# Runs every test, and sets up what they need first. usage: npm test [-- FILE...]     (as root: also as an ordinary user)
set -eu
cd "$(dirname "$0")/.."
sh scripts/packages.sh test
sh scripts/toolchain.sh
sh scripts/build.sh --if-stale
sh scripts/build.sh --if-stale --test
[ "$(id -u)" != 0 ] || sh scripts/test-user.sh
exec node_modules/.bin/bun scripts/test.ts "$@"
