#!/bin/sh
# Builds the one executable: dist/skiff, or the path given.
set -eu
cd "$(dirname "$0")/.."
out=${1:-dist/skiff}
mkdir -p "$(dirname "$out")"
# aside and renamed: a skiff that runs at this moment keeps its own file, and nobody starts half a one
trap 'rm -f "$out.new.$$"' EXIT
node_modules/.bin/bun build --compile --format=esm --splitting --bytecode --minify \
  src/main.ts --outfile "$out.new.$$"
mv -f "$out.new.$$" "$out"
