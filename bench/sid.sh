#!/bin/bash
# Runs a command in a Debian sid that holds podman 5, docker 28, buildah and the programs that skiff needs, so that all
# engines use the same crun, conmon and kernel. usage: sid.sh [CMD...]     (root; no CMD: only make the tree)
#
# The tree is made once by mmdebstrap (900 MB, one to four minutes) at $SKIFF_BENCH_SID, /var/cache/skiff-bench/sid where unset.
# The command sees it as its root, in mount and pid namespaces of its own: with this machine's network, cgroups and
# devices, with this repository at its own path, and with nothing else of the machine. What it starts ends with it.
set -euo pipefail
tree=${SKIFF_BENCH_SID:-/var/cache/skiff-bench/sid}
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
packages='podman docker.io docker-cli docker-buildx docker-compose buildah netavark aardvark-dns
  crun runc conmon nftables iptables iproute2 passt uidmap catatonit busybox-static golang-github-containers-common
  iperf3 fuse-overlayfs docker-registry skopeo mmdebstrap procps ca-certificates'

[ "$(id -u)" = 0 ] || { echo "sid.sh: needs root" >&2; exit 1; }
if [ ! -e "$tree/.ready" ]; then
  command -v mmdebstrap >/dev/null || { echo "sid.sh: needs mmdebstrap: apt-get install mmdebstrap" >&2; exit 1; }
  echo "sid.sh: making $tree" >&2
  mkdir -p "$(dirname "$tree")"
  rm -rf --one-file-system "$tree"
  # shellcheck disable=SC2086
  # a snapshot mirror or a machine whose clock runs ahead has a release file that is no longer valid
  mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
    --include="$(echo $packages | tr ' ' ,)" sid "$tree" >&2
  touch "$tree/.ready"
fi
[ $# -gt 0 ] || exit 0

exec unshare --mount --pid --fork --kill-child --propagation private bash -c '
  set -euo pipefail
  tree=$1 repository=$2 directory=$3; shift 3
  mount --bind "$tree" "$tree"
  cd "$tree"
  mkdir -p .old ".$repository"
  mount -t proc proc proc
  mount --rbind /sys sys
  mount --rbind /dev dev
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=1777 tmpfs tmp
  mount --bind "$repository" ".$repository"
  cp -L /etc/resolv.conf /etc/hosts etc/
  pivot_root . .old
  cd /
  umount -l .old
  mount --make-rshared /
  mkdir -p /run/lock
  cd "$directory" 2>/dev/null || cd /
  export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  exec catatonit -- "$@" # a first process must reap
' sid "$tree" "$repository" "$PWD" "$@"
