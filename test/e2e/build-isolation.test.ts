/** `skiff build` where namespaces are partly missing, as inside the containers of CI, and what `--isolation` asks for. */
import { beforeAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build, built, makeContext } from "../support/build.ts"
import { inPlace, preparePlaces } from "../support/place.ts"
import { runs } from "../support/runs.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const UNCONFINED = ["--security-opt", "seccomp=unconfined"]
/** As a pod that is allowed nothing. */
const RESTRICTED = [...UNCONFINED, "--security-opt", "no-new-privileges", "--cap-drop", "ALL", "--user", "1000:1000"]

const PLACES = [
  { name: "root of a container as docker makes it", flags: [], level: "chroot" },
  { name: "root of one that may make user namespaces", flags: UNCONFINED, level: "userns" },
  { name: "root of one that may mount", flags: ["--cap-add", "SYS_ADMIN"], level: "userns", asRoot: true },
  {
    name: "an ordinary user without a range of ids",
    flags: [...UNCONFINED, "--user", "1000:1000"],
    level: "single-uid",
  },
  { name: "an ordinary user who may gain no privileges", flags: RESTRICTED, level: "single-uid" },
]

// each kind of file, mount and step that a level could do otherwise
const EVERYTHING = `FROM busybox AS tools
RUN echo hello > /one && mkdir -p /d && echo x > /d/x && ln /one /two && ln -s one /three && mkfifo /pipe && chmod 4755 /one
RUN --mount=type=cache,target=/cache echo y >> /cache/n; mkdir -p /etc/sub; echo q > /etc/sub/q; rm /etc/passwd
FROM busybox
COPY --from=tools /one /two /three /d /pipe /got/
COPY --chown=1000:2000 file /file
ADD --chmod=640 sub /sub
RUN --mount=type=bind,from=tools,target=/a,rw grep -q hello /a/one && touch /a/new && rm /bin/vi && chmod 750 /home
RUN --mount=type=secret,id=s,target=/etc/secret test "$(cat /etc/secret)" = s3cret
RUN --mount=type=tmpfs,target=/t echo z > /t/z && echo root >> /etc/group
RUN --mount=type=bind,target=/etc/mnt,source=sub grep g /etc/mnt/g; rm -r /var; echo > /dev/null
RUN test -s /etc/hosts && grep -q nameserver /etc/resolv.conf && (sleep 4321 &)
WORKDIR /work/dir
ENV A=b
`

describe("in a container", () => {
  const epoch = String(Math.floor(Date.now() / 1000))
  const words = ["-q", "--timestamp", epoch, "--secret", "id=s,src=/w/secret"]
  let full = ""

  beforeAll(async () => {
    await preparePlaces(skiff)
    const context = join(skiff.directory, "everything")
    mkdirSync(join(context, "sub"), { recursive: true })
    writeFileSync(join(context, "Dockerfile"), EVERYTHING)
    writeFileSync(join(context, "file"), "f")
    writeFileSync(join(context, "sub/g"), "g\n")
    const secret = join(skiff.directory, "secret")
    writeFileSync(secret, "s3cret")
    for (const path of [context, join(context, "sub")]) chmodSync(path, 0o755)
    full = await skiff.ok("build", "-q", "--timestamp", epoch, "--secret", `id=s,src=${secret}`, context)
  }, 60_000)

  for (const { name, flags, level, asRoot } of PLACES)
    test.skipIf(asRoot === true && user.rootless)(
      `${name} builds the very image that a host builds, by the level ${level}`,
      async () => {
        const script = `skiff build ${words.join(" ").replace("-q ", "")} -t r --progress plain /w/everything 2>&1 | grep isolation:
          skiff build ${words.join(" ")} /w/everything; /usr/bin/ps -C sleep -o args= | grep -c 4321`
        const { stdout } = await inPlace(skiff, flags, script)
        const [told = "", id, left] = stdout.trim().split("\n")
        expect(told).toMatch(new RegExp(`isolation: ${level} \\(.+\\)`))
        expect([id, left]).toEqual([full, "0"])
      },
      120_000,
    )

  test("who can be given no level at all hears why, and what to do", async () => {
    const dropped = await inPlace(
      skiff,
      ["--cap-drop", "ALL", "--cap-add", "CHOWN"],
      "cd /tmp; echo 'FROM busybox\nRUN true' | skiff build -",
    )
    expect([dropped.code, dropped.stderr]).toEqual([
      1,
      expect.stringContaining("no step can run here, at any isolation level"),
    ])
    const filtered = await inPlace(skiff, ["--user", "1000:1000"], "")
    expect(filtered.stderr).toContain("allow user namespaces")
  }, 60_000)

  test("by the level chroot a step has no way out that its capabilities could open", async () => {
    const script = `cat > /tmp/Dockerfile <<'EOF'
FROM busybox
RUN chroot / true 2>/dev/null && echo WAY OUT; mknod /disk b 8 0 2>/dev/null && echo WAY OUT; mount -t tmpfs t /tmp 2>/dev/null && echo WAY OUT; ls /proc /skiff /w 2>/dev/null; env | sort; ls -ld /dev/null
RUN --mount=type=cache,target=/cache rm -rf /cache/* && rmdir /cache && ln -s /etc /cache
RUN --mount=type=cache,target=/cache ls -A /cache | wc -l; touch /cache/new
RUN --mount=type=cache,target=/cache ls /cache
EOF
HOST_SECRET=x skiff build --progress plain -t r - < /tmp/Dockerfile 2>&1 | sed -n 's/^#[0-9]* [0-9.]* //p'; ls /etc/new`
    const { stdout } = await inPlace(skiff, [], script)
    expect(stdout.trim().split("\n")).toEqual([
      "/proc:",
      "HOME=/root",
      expect.stringMatching(/^PATH=/),
      "PWD=/",
      "SHLVL=1",
      // where nodes can be made; else a plain file
      expect.stringMatching(user.rootless ? /^-rw-rw-rw- .*\/dev\/null$/ : /^crw-rw-rw- .* 1, +3 .*\/dev\/null$/),
      "0",
      "new",
    ])
  }, 60_000)

  test("by the level chroot a killed build's step ends with it, and the next build is none the worse", async () => {
    const script = `printf 'FROM busybox\nRUN --mount=type=cache,target=/cache (sleep 4343 &) ; sleep 4343\n' > /tmp/Dockerfile
      /skiff build - < /tmp/Dockerfile 2>/dev/null & build=$!
      for i in $(seq 100); do /usr/bin/ps -C sleep -o args= | grep -q 4343 && break; sleep 0.1; done
      /usr/bin/ps -C sleep -o args= | grep -c 4343; kill -9 $build
      for i in $(seq 100); do /usr/bin/ps -C sleep -o args= | grep -q 4343 || break; sleep 0.1; done
      /usr/bin/ps -C sleep -o args= | grep -c 4343
      printf 'FROM busybox\nRUN --mount=type=cache,target=/cache echo again\n' > /tmp/Dockerfile
      skiff build --progress plain - < /tmp/Dockerfile 2>&1 | grep -c ' again$'; ls /var/lib/skiff/builds /var/lib/skiff/build/scratch 2>/dev/null`
    const { stdout, stderr } = await inPlace(skiff, [], script)
    expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringMatching(/^2\n0\n2\n/) })
  }, 60_000)

  test("working containers are made without a mount, too", async () => {
    const script = `c=$(skiff builder from busybox) && skiff builder run $c -- sh -c 'echo made > /made; id -u' 2>/dev/null
      cat $(skiff builder mount $c)/made; skiff builder umount $c >/dev/null; skiff builder commit -q $c out >/dev/null && skiff builder rm $c >/dev/null
      printf 'FROM out\nRUN cat /made\n' | skiff build --progress plain - 2>&1 | grep -c ' made$'; ls /var/lib/skiff/working`
    const { stdout, stderr } = await inPlace(skiff, [], script)
    expect({ stdout, stderr }).toMatchObject({ stdout: "0\nmade\n1\n" })
  }, 60_000)
})

const refusal = async (line: string, ...flags: string[]): Promise<string> =>
  (await build(skiff, { Dockerfile: `FROM busybox\n${line}\n` }, "--no-cache", ...flags)).stderr

describe("--isolation", () => {
  const LEVELS = ["userns", "single-uid", "chroot"]
  const text = "FROM busybox\nRUN id -u > /out; echo told > /dev/stderr; grep CapBnd /proc/self/status\n"

  for (const level of LEVELS)
    test(`${level} can be asked for, and is named`, async () => {
      const { code, stderr } = await build(skiff, { Dockerfile: text }, "--no-cache", "--isolation", level)
      expect([code, stderr]).toEqual([0, expect.stringContaining(`isolation: ${level}`)])
      expect(stderr).toContain("told")
      // docker's; by chroot without SYS_CHROOT and MKNOD
      expect(stderr).toContain(level === "chroot" ? "CapBnd:\t00000000a00025fb" : "CapBnd:\t00000000a80425fb")
    })

  test("the host's devices keep their owners, whoever a step runs as", async () => {
    const dockerfile = "FROM busybox\nUSER 1000\nRUN echo x > /dev/stdout; id -u\n"
    const before = statSync("/dev/null")
    for (const level of ["userns", "chroot"])
      await built(skiff, { Dockerfile: dockerfile }, "--no-cache", "--isolation", level)
    expect(statSync("/dev/null").uid).toBe(before.uid)
  })

  test("oci and rootless are Buildah's words; others are refused", async () => {
    for (const word of ["oci", "rootless", "default"]) await built(skiff, { Dockerfile: text }, "--isolation", word)
    const { code, stderr } = await build(skiff, { Dockerfile: text }, "--isolation", "none")
    expect([code, stderr]).toEqual([
      125,
      expect.stringContaining("must be one of auto, full, userns, single-uid, chroot"),
    ])
  })

  test("what a level cannot keep is refused: no network by chroot, users by single-uid, limits by any", async () => {
    expect(await refusal("RUN --network=none true", "--isolation", "chroot")).toContain(
      "without network is not possible",
    )
    expect(await refusal("USER 1000\nRUN true", "--isolation", "single-uid")).toContain("cannot run as 1000:")
    expect(await refusal("RUN true", "--isolation", "userns", "--memory", "64m")).toContain(
      'the limit cannot be enforced: this user has no "memory" cgroup controller (--memory)',
    )
  })

  test("userns keeps RUN --network=none", async () => {
    const dockerfile = "FROM busybox\nRUN --network=none tail -n +3 /proc/net/dev | wc -l; ping -c1 127.0.0.1\n"
    const { code, stderr } = await build(skiff, { Dockerfile: dockerfile }, "--no-cache", "--isolation", "userns")
    expect([code, stderr]).toEqual([0, expect.stringMatching(/ 1\n/)])
  })

  for (const level of LEVELS)
    test(`a build killed with a step at the level ${level} leaves no process`, async () => {
      const marker = `sleep 98${LEVELS.indexOf(level)}`
      const context = makeContext(skiff, { Dockerfile: `FROM busybox\nRUN (${marker} &); ${marker}\n` })
      const child = skiff.spawn(["build", "--no-cache", "--isolation", level, context])
      await eventually(() => expect(runs(marker)).toBe(true))
      child.kill("SIGKILL")
      await eventually(() => expect(runs(marker)).toBe(false))
      // what was mounted goes with the next
      await built(skiff, { Dockerfile: "FROM busybox\nRUN true\n" })
    })
})
