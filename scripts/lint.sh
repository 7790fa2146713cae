#!/bin/sh
# Lints by oxlint. It asks for Node 20: with an older one npm leaves its binary part out, and Bun runs it.
set -eu
cd "$(dirname "$0")/.."
sh scripts/toolchain.sh
version=$(node -p 'require("./node_modules/oxlint/package.json").version')
binding=@oxlint/binding-linux-$(node -p process.arch)-gnu
[ -e "node_modules/$binding" ] || npm install --no-save --no-audit --no-fund --loglevel=error "$binding@$version"
exec node_modules/.bin/bun --bun node_modules/.bin/oxlint --deny-warnings src test scripts bench
