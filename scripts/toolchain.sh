#!/bin/sh
# Brings node_modules up to the lock file: Bun, the linter, the few libraries. Does nothing when they are there.
set -eu
cd "$(dirname "$0")/.."
installed=node_modules/.package-lock.json
if [ -x node_modules/.bin/bun ] && [ -e "$installed" ] && [ -z "$(find package-lock.json -newer "$installed")" ]; then
  exit 0
fi
echo "skiff: installing npm packages" >&2
npm ci --no-audit --no-fund --loglevel=error >&2
