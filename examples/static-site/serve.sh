#!/bin/sh
# Serves the pages of ./site, read-only. usage: serve.sh [PORT]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
skiff=${SKIFF:-$(command -v skiff || echo "$here/../../dist/skiff")}
port=${1:-8080}
"$skiff" image inspect busybox >/dev/null 2>&1 || "$skiff" image bootstrap busybox
"$skiff" run -d --name static-site --restart on-failure --read-only -v "$here/site:/site:ro" -p "$port:80" \
  busybox httpd -f -p 80 -h /site
echo "http://127.0.0.1:$port/     logs: $skiff logs -f static-site     end: $skiff rm -f static-site"
