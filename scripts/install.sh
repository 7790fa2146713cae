#!/bin/sh
# Puts skiff, its man pages and its shell completions under a prefix, and takes them away again.
# usage: install.sh [--prefix DIR] [--uninstall]     (default /usr/local; DESTDIR for packagers)
set -eu
cd "$(dirname "$0")/.."
prefix=/usr/local
uninstall=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=${2:?install.sh: --prefix needs a directory}; shift 2 ;;
    --prefix=*) prefix=${1#--prefix=}; shift ;;
    --uninstall) uninstall=1; shift ;;
    *) echo "usage: install.sh [--prefix DIR] [--uninstall]" >&2; exit 2 ;;
  esac
done
case $prefix in
  /*) ;;
  *) echo "install.sh: --prefix must be an absolute path, not \"$prefix\"" >&2; exit 2 ;;
esac
top=${DESTDIR:-}$prefix
# what was installed, one path below the prefix a line: an uninstall removes that and nothing else
list=$top/share/skiff/installed

if [ -n "$uninstall" ]; then
  [ -f "$list" ] || { echo "install.sh: skiff is not installed under $prefix ($list does not exist)" >&2; exit 1; }
  while IFS= read -r file; do
    case $file in
      */../* | ../* | /* | '') ;;
      *) rm -f "$top/$file" ;;
    esac
  done <"$list"
  rm -f "$list"
  rmdir "$top/share/skiff" 2>/dev/null || true
  echo "removed skiff from $prefix; containers and images of a user stay until: skiff system reset"
  exit 0
fi

[ -x dist/skiff ] || { echo "install.sh: dist/skiff does not exist; build it first: npm run build" >&2; exit 1; }
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
umask 022
mkdir -p "$stage/share/bash-completion/completions" "$stage/share/zsh/site-functions" \
  "$stage/share/fish/vendor_completions.d" "$stage/share/man"
dist/skiff completion bash >"$stage/share/bash-completion/completions/skiff"
dist/skiff completion zsh >"$stage/share/zsh/site-functions/_skiff"
dist/skiff completion fish >"$stage/share/fish/vendor_completions.d/skiff.fish"
node_modules/.bin/bun scripts/docs/main.ts man "$stage/share/man"

put() { # MODE FROM TO: aside and renamed, so that a running skiff keeps its own file
  mkdir -p "$(dirname "$top/$3")"
  cp "$2" "$top/$3.new"
  chmod "$1" "$top/$3.new"
  mv -f "$top/$3.new" "$top/$3"
}
put 755 dist/skiff bin/skiff
(cd "$stage" && find share -type f | sort) >"$stage/files"
while IFS= read -r file; do put 644 "$stage/$file" "$file"; done <"$stage/files"
{ echo bin/skiff; cat "$stage/files"; } >"$stage/installed"
put 644 "$stage/installed" share/skiff/installed
echo "installed $prefix/bin/skiff, $(grep -c '/man1/' "$stage/files") man pages, completions of bash, zsh and fish"
case :$PATH: in
  *":$prefix/bin:"*) ;;
  *) echo "  $prefix/bin is not in your PATH" ;;
esac
