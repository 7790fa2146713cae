#!/bin/sh
# Builds the one executable. usage: build.sh [--if-stale] [--test] [FILE]     (default dist/skiff, or dist/skiff-test)
# --test: one that dies where SKIFF_CRASH_AT says (src/base/crash-point.ts); the other takes no orders from that variable.
set -eu
cd "$(dirname "$0")/.."
sh scripts/toolchain.sh
if_stale=
test=
define='--define SKIFF_RELEASE=true'
while [ $# -gt 0 ]; do
  case $1 in
    --if-stale) if_stale=1 ;;
    --test) test=-test define= ;;
    *) break ;;
  esac
  shift
done
out=${1:-dist/skiff$test}
if [ -n "$if_stale" ] && [ -x "$out" ] &&
  [ -z "$(find src package.json package-lock.json tsconfig.json scripts/build.sh scripts/guard-environment.ts -newer "$out" | head -n 1)" ]; then
  exit 0
fi
[ -z "$if_stale" ] || echo "skiff: building $out" >&2
mkdir -p "$(dirname "$out")"
# aside and renamed: a skiff that runs at this moment keeps its own file, and nobody starts half a one
trap 'rm -f "$out.new.$$"' EXIT
# Bun would run what a bunfig.toml in the caller's directory names, and take a .env there for its environment
# a start is over before the code that the compiler would make of it pays: src/sys/process/jit-policy.ts sets the usual policy again
# shellcheck disable=SC2086
node_modules/.bin/bun build --compile --no-compile-autoload-bunfig --no-compile-autoload-dotenv --format=esm --splitting --bytecode --minify --compile-jit-policy=8 \
  $define src/main.ts --outfile "$out.new.$$"
# nor may BUN_OPTIONS, BUN_BE_BUN and their like make it run what it is not
node_modules/.bin/bun scripts/guard-environment.ts "$out.new.$$"
mv -f "$out.new.$$" "$out"
