#!/bin/sh
# The main job, shown: an image built from a Dockerfile, a container with a published port, its page fetched, all cleaned up.
set -eu
cd "$(dirname "$0")/.."
skiff=dist/skiff
base=busybox
image=skiff-demo
name=skiff-demo-$$

step() { printf '\n\033[1m$ %s\033[0m\n' "$*" | sed "s/$(printf '\033')\[[01]m//g"; }
shown() { step "$@"; "$@"; }
failed() {
  echo "skiff: the demo failed; what the host may lack:" >&2
  "$skiff" doctor >&2 || true
}
cleaned() {
  code=$?
  trap - EXIT
  "$skiff" rm -f "$name" >/dev/null 2>&1 || true
  [ "$code" = 0 ] || failed
  exit "$code"
}
trap cleaned EXIT
trap 'exit 130' INT TERM

shown "$skiff" version
"$skiff" image inspect "$base" >/dev/null 2>&1 || shown "$skiff" image bootstrap busybox -t "$base"
shown "$skiff" build -t "$image" examples/page
shown "$skiff" run -d --name "$name" -p 8080 "$image"
shown "$skiff" ps
port=$("$skiff" port "$name" 8080 | sed -n 's/^0\.0\.0\.0://p')
url=http://127.0.0.1:$port/
step "fetch $url"
node -e '
const [url] = process.argv.slice(1)
const deadline = Date.now() + 10_000
for (;;) {
  try { process.stdout.write(await (await fetch(url)).text()); break }
  catch (error) { if (Date.now() > deadline) throw error; await new Promise((done) => setTimeout(done, 50)) }
}' --input-type=module -- "$url"
shown "$skiff" rm -f "$name"

cat <<END

It works: a base image was made from Debian's busybox package, an image was built on it from examples/page/Dockerfile,
a container ran from that in its own namespaces, its port was published, and the page came back. Try next:

  $skiff run -it --rm busybox sh              a shell in a container
  $skiff run --rm -m 64m --cpus 0.5 busybox   with limits
  $skiff build -t mine examples/page          the same build: all from the cache
  $skiff pull debian:12-slim                  an image from Docker Hub
  $skiff images                               what is here
  $skiff doctor                               what this host offers
  $skiff help                                 everything else
END
