#!/bin/bash
# The end-to-end tests on a real systemd host with pure cgroup v2: once as root, once in a delegated user session.
# usage: npm run test:vm [-- FILE...]     needs root, and TESTVM (default ../shared/vm/testvm.sh). Emulated, so slow.
# TESTVM_USERS=rootless (or root) asks for one of the two.
set -euo pipefail
cd "$(dirname "$0")/.."
testvm=${TESTVM:-../shared/vm/testvm.sh}
[ -x "$testvm" ] || { echo "skiff: no $testvm; name it by TESTVM" >&2; exit 1; }
sh scripts/build.sh --if-stale
sh scripts/build.sh --if-stale --test
export TESTVM_PACKAGES=runc,catatonit,docker-registry,skopeo,curl,golang-github-containers-common,strace,util-linux
files=("$@")
[ ${#files[@]} -gt 0 ] || files=(./test/e2e ./test/security)

code=0
for user in ${TESTVM_USERS:-root rootless}; do
  option=()
  [ "$user" = root ] || option=(--user)
  echo "=== in the virtual machine, $user ==="
  # the share's files are root's: a copy is what its user can run. Emulation is slow: every test gets five times its time.
  "$testvm" run "${option[@]}" --memory 4096 --timeout 10800 -- \
    env SKIFF_TEST_USER="$user" SKIFF_TEST_SLOWNESS=5 node_modules/.bin/bun test --timeout=300000 "${files[@]}" || code=$?
done
exit "$code"
