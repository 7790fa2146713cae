#!/bin/sh
# Installs the Debian packages that are missing. usage: packages.sh run|test|bench
set -eu
packages='crun runc conmon nftables iproute2 passt uidmap catatonit busybox-static
  golang-github-containers-common procps ca-certificates'
case ${1:-run} in
  run) ;;
  test) packages="$packages docker-registry skopeo podman docker.io mmdebstrap fuse-overlayfs strace curl xz-utils bzip2 zstd
    socat iputils-ping containernetworking-plugins iptables libcap2-bin attr chromium openssl openssh-client git python3 perl-base fish zsh mandoc criu gpg gpg-agent gpgconf" ;;
  bench) packages="$packages iperf3 docker-registry skopeo podman buildah netavark aardvark-dns docker.io" ;;
  *) echo "usage: packages.sh run|test|bench" >&2; exit 2 ;;
esac

missing=
for package in $packages; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "skiff: no apt-get on this system; install these by its own package manager:$missing" >&2
  exit 1
fi
install="apt-get install -y --no-install-recommends$missing"
as_root=
if [ "$(id -u)" != 0 ]; then
  # sudo may ask only where somebody can answer
  if sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then
    as_root=sudo
  else
    echo "skiff: missing packages:$missing" >&2
    echo "  an administrator runs once: $install" >&2
    exit 1
  fi
fi
echo "skiff: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
$as_root apt-get -qq update >"$log" 2>&1 || true
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 $install >"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  echo "skiff: could not install the packages; by hand: $install" >&2
  exit 1
}
