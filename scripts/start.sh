#!/bin/sh
# From a fresh clone to a page served by a container: installs what is missing, builds, shows the main job.
set -eu
cd "$(dirname "$0")/.."
sh scripts/packages.sh run
sh scripts/build.sh --if-stale
exec sh scripts/demo.sh
