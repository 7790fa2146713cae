#!/bin/sh
# Builds the one executable. usage: build.sh [--if-stale] [FILE]     (default dist/skiff)
set -eu
cd "$(dirname "$0")/.."
sh scripts/toolchain.sh
if_stale=
[ "${1:-}" != --if-stale ] || { if_stale=1; shift; }
out=${1:-dist/skiff}
if [ -n "$if_stale" ] && [ -x "$out" ] &&
  [ -z "$(find src package.json package-lock.json tsconfig.json scripts/build.sh -newer "$out" | head -n 1)" ]; then
  exit 0
fi
[ -z "$if_stale" ] || echo "skiff: building $out" >&2
mkdir -p "$(dirname "$out")"
# aside and renamed: a skiff that runs at this moment keeps its own file, and nobody starts half a one
trap 'rm -f "$out.new.$$"' EXIT
# Bun would run what a bunfig.toml in the caller's directory names, and take a .env there for its environment
node_modules/.bin/bun build --compile --no-compile-autoload-bunfig --no-compile-autoload-dotenv --format=esm --splitting --bytecode --minify \
  src/main.ts --outfile "$out.new.$$"
mv -f "$out.new.$$" "$out"
