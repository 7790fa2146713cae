/** Where `/` is a shared mount, as systemd makes it, what is unmounted of a container takes no mount of the host with it. */
import { expect } from "bun:test"
import { spawnSync } from "node:child_process"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"

const skiff = openStore()
const onHost = testUnless(asRootOnly)

/** Runs lines of a shell in a mount namespace of its own, all of which is shared; `skiff` is ours, `mounts` what is mounted. */
function onSharedMounts(script: string): string {
  const command = skiff.command([]).map((word) => `'${word}'`)
  const text = `set -e
    mount --make-rshared /
    mount -t tmpfs tmpfs "$PWD"; cd "$PWD"; mkdir tree tree/mounted; mount -t tmpfs below tree/mounted
    skiff() { ${command.join(" ")} "$@"; }
    mounts() { cut -d' ' -f5 /proc/self/mountinfo | sort; }
    before=$(mounts)
    ${script}
    [ "$(mounts)" = "$before" ] && echo all there`
  const { stdout, stderr, status } = spawnSync("unshare", ["--mount", "--propagation", "private", "sh", "-c", text], {
    encoding: "utf8",
    env: skiff.env,
    cwd: skiff.home,
  })
  if (status !== 0) throw new Error(`${status} ${stderr}`)
  return stdout.trim()
}

onHost("cp with a container that has the host's directories", () => {
  const out = onSharedMounts(`
    skiff create --name lent -v /:/host -v "$PWD/tree:/tree:ro" busybox true >/dev/null
    echo text > file
    skiff cp file lent:/tmp/file
    ! skiff cp file lent:/tree/file 2>/dev/null
    skiff cp lent:/tree/mounted - | tar -t | head -n 1
    skiff rm lent >/dev/null`)
  expect(out).toBe("mounted/\nall there")
})

onHost("volumes, overlays and parts of the host's directories", () => {
  const out = onSharedMounts(`
    touch tree/mounted/below
    skiff volume create -o type=none -o o=rbind,noexec -o device="$PWD/tree" lent >/dev/null
    skiff run --rm -v lent:/v --mount type=volume,src=lent,dst=/p,volume-subpath=mounted busybox ls /v/mounted /p
    skiff run --rm -v "$PWD/tree:/b:O" --mount type=bind,src="$PWD/tree",dst=/a,bind-nonrecursive busybox ls /a/mounted
    skiff volume mount lent >/dev/null; skiff volume unmount lent >/dev/null
    skiff volume mount lent >/dev/null; skiff volume rm lent >/dev/null
    skiff volume create -o type=tmpfs memory >/dev/null
    skiff run --rm -v memory:/m busybox true; skiff volume rm memory >/dev/null
    ls tree/mounted`)
  expect(out).toBe("/p:\nbelow\n\n/v/mounted:\nbelow\nbelow\nall there")
})

onHost("run --rootfs of a tree with mounts of its own", () => {
  const out = onSharedMounts(`
    mkdir -p tree/bin tree/proc tree/sys tree/dev tree/etc tree/tmp
    cp "$(command -v busybox)" tree/bin/busybox
    skiff run --rm --rootfs "$PWD/tree" /bin/busybox echo ran`)
  expect(out).toBe("ran\nall there")
})

onHost("run with ids of its own on the host's network, whose /sys it is shown", () => {
  expect(onSharedMounts("skiff run --rm --userns auto --network host busybox echo ran")).toBe("ran\nall there")
})
