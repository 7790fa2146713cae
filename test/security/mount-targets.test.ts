/**
 * Mounts over the kernel's file systems, and the links of an image or a volume that lead there (CVE-2015-3629, 2019-16884,
 * 2021-30465, 2023-27561, 2025-31133, 2025-52565, 2025-52881): refused by name, by where they lead, and again when mounted.
 */
import { beforeAll, describe, expect, test } from "bun:test"
import { chownSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "../support/build.ts"
import { busyboxEntries } from "../support/image.ts"
import { OCI_RUNTIMES } from "../support/oci-runtimes.ts"
import { sharedRegistry } from "../support/registry.ts"
import type { Outcome } from "../support/skiff.ts"
import { openStore, testUnless } from "../support/store.ts"
import type { TarEntry } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const host = join(skiff.directory, "host")

const link = (name: string, linkName: string): TarEntry => ({ name, type: "symlink", linkName })
const directory = (name: string): TarEntry => ({ name, type: "directory" })

/** An image of busybox with more in it; gives its name. */
async function image(name: string, entries: readonly TarEntry[], volumes: readonly string[] = []): Promise<string> {
  const registry = await sharedRegistry()
  const without = new Set(entries.map((entry) => entry.name.replace(/\/$/, "")))
  const base = busyboxEntries().filter((entry) => !without.has(entry.name.replace(/\/$/, "")))
  const config = { Cmd: ["sh"], Volumes: Object.fromEntries(volumes.map((path) => [path, {}])) }
  const reference = await registry.push(`hostile/${name}:1`, {
    layers: [{ entries: [...base, ...entries] }],
    config,
  })
  await skiff.ok("pull", "-q", reference)
  return reference
}

const LINKS = [
  link("link", "/proc"),
  link("relative", "a/../../../proc/./sys"),
  link("sysfs", "sys/kernel"),
  link("devices", "/dev"),
  link("top", "/"),
  link("one", "two"),
  link("two", "/link/sys"),
  link("circle", "circle"),
  link("data", "srv/data"),
  directory("srv"),
  directory("srv/data"),
  { name: "srv/file", content: "a file" },
]

let linked = ""
beforeAll(async () => {
  mkdirSync(join(host, "kernel"), { recursive: true })
  writeFileSync(join(host, "mark"), "of the host\n")
  chownSync(host, user.uid, user.gid)
  linked = await image("linked", LINKS)
}, 60_000)

/** Refused before anything of the image ran. */
async function refused(outcome: Promise<Outcome>, reason: RegExp): Promise<void> {
  const { code, stdout, stderr } = await outcome
  expect(stderr).toMatch(reason)
  expect(stderr).not.toMatch(/^\s+at .*\.ts|^skiff: (?:crun|runc):/m)
  expect(code).not.toBe(0)
  expect(stdout).not.toContain("it ran")
}

for (const { name: runtime, missing } of OCI_RUNTIMES) {
  const check = testUnless(missing)
  const run = (...args: string[]): Promise<Outcome> =>
    skiff.run(["--runtime", runtime, "run", "--rm", "--network", "none", ...args])
  const stepOf = (dockerfile: string, ...flags: string[]): Promise<Outcome> =>
    skiff.run(["--runtime", runtime, "build", "--progress", "plain", "--no-cache", ...flags, "-"], {
      stdin: dockerfile,
    })

  describe(`${runtime}: a link of the image that leads a mount`, () => {
    const table: Record<string, [target: string, leadsTo: string]> = {
      "to /proc": ["/link", "/proc"],
      "below /proc": ["/link/sys", "/proc/sys"],
      "to /proc, relative and through what is not there": ["/relative", "/proc/sys"],
      "to /sys": ["/sysfs/debug", "/sys/kernel/debug"],
      "to /dev": ["/devices", "/dev"],
      "below /dev": ["/devices/null", "/dev/null"],
      "to the root": ["/top", "/"],
      "to a link that leads to /proc": ["/one/kernel", "/proc/sys/kernel"],
    }
    for (const [name, [target, leadsTo]] of Object.entries(table))
      check(`${name} is refused`, async () => {
        const reason = new RegExp(`"${target}" leads to "${leadsTo}" by a link`)
        await refused(run("-v", `${host}:${target}`, linked, "echo", "it ran"), reason)
        await refused(run("--tmpfs", target, linked, "echo", "it ran"), reason)
        await refused(run("--mount", `type=volume,target=${target}`, linked, "echo", "it ran"), reason)
        if (target === "/top") return
        const step = `FROM ${linked}\nRUN --mount=type=tmpfs,target=${target} echo it ran >&2`
        await refused(stepOf(step), reason)
      })

    check("round in a circle, or to a file, is refused", async () => {
      await refused(run("--tmpfs", "/circle/x", linked, "echo", "it ran"), /links form a loop/)
      await refused(run("--tmpfs", "/srv/file/x", linked, "echo", "it ran"), /a file of the image is in the way/)
    })

    check("elsewhere in the image is followed", async () => {
      const { stdout, stderr } = await run("-v", `${host}:/data/x:ro`, linked, "sh", "-c", "cat /srv/data/x/mark")
      expect({ stdout, stderr }).toEqual({ stdout: "of the host\n", stderr: "" })
      const step = `FROM ${linked}\nRUN --mount=type=tmpfs,target=/data/t grep -q ' /srv/data/t tmpfs' /proc/mounts`
      const { code, stderr: log } = await stepOf(step)
      expect({ code, log }).toEqual({ code: 0, log: expect.any(String) })
    })

    check("of VOLUME is refused", async () => {
      const name = await image(`volume-link-${runtime}`, LINKS, ["/link"])
      await refused(run(name, "echo", "it ran"), /"\/link" leads to "\/proc" by a link/)
    })

    check("of /etc/hosts is refused", async () => {
      const name = await image(`hosts-${runtime}`, [link("etc/hosts", "/proc/sysrq-trigger")])
      await refused(run(name, "echo", "it ran"), /"\/etc\/hosts" leads to "\/proc\/sysrq-trigger" by a link/)
    })
  })

  describe(`${runtime}: over the kernel's file systems`, () => {
    for (const path of ["/dev", "/dev/pts", "/dev/x/../null", "/proc", "/proc/sys/kernel", "/sys", "/sys/firmware"])
      check(`VOLUME ${path} is refused`, async () => {
        const entries = [directory("dev/"), link("dev/null", "/proc/timer_list")]
        const name = await image(`volume-${runtime}${path.replaceAll(/\W+/g, "-")}`, entries, [path])
        await refused(run(name, "sh", "-c", "echo it ran; cat /proc/timer_list"), /cannot mount over/)
      })

    for (const type of ["bind,source=/etc", "cache", "tmpfs", "secret,id=s", "ssh"])
      check(`RUN --mount=type=${type} is refused`, async () => {
        for (const target of ["/dev", "/dev/null", "/proc/sys", "/sys/firmware"]) {
          const from = type.startsWith("bind") ? ",from=busybox" : ""
          const step = `FROM busybox\nWORKDIR /dev\nRUN --mount=type=${type}${from},target=${target} echo it ran >&2`
          await refused(stepOf(step), /Dockerfile:3: cannot mount over|-:3: cannot mount over|cannot mount over/)
        }
      })

    check("a user's volume is refused at /dev, as the image fills it", async () => {
      for (const target of ["/dev", "/dev/null"])
        await refused(run("-v", `filled:${target}`, "busybox", "echo", "it ran"), /cannot mount over "\/dev/)
    })

    check("/dev/shm may be mounted over", async () => {
      const { stdout, stderr } = await run("--tmpfs", "/dev/shm:size=1m", "busybox", "df", "-k", "/dev/shm")
      expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/\b1024\b/), stderr: "" })
      const step = "FROM busybox\nRUN --mount=type=tmpfs,target=/dev/shm,size=1m df -k /dev/shm | grep -q 1024"
      expect((await stepOf(step)).code).toBe(0)
    })

    for (const name of ["proc", "sys", "dev"])
      check(`an image whose /${name} is a link is refused, with all that is masked below it`, async () => {
        const entries = [directory("mine"), link(name, "mine")]
        const reference = await image(`link-${name}-${runtime}`, entries)
        await refused(run(reference, "echo", "it ran"), new RegExp(`"/${name}" of the container is not a directory`))
        await refused(stepOf(`FROM ${reference}\nRUN echo it ran >&2`), /is not a directory/)
      })
  })

  describe(`${runtime}: a volume that is shared with a hostile container`, () => {
    check("its links lead no mount of another container to /proc", async () => {
      const volume = `shared-${runtime}`
      await skiff.ok(
        "run",
        "--rm",
        "--network",
        "none",
        "-v",
        `${volume}:/v`,
        "busybox",
        "ln",
        "-s",
        "/proc",
        "/v/link",
      )
      const reason = /"\/v\/link\/sys" leads to "\/proc\/sys" by a link/
      await refused(run("-v", `${volume}:/v`, "-v", `${host}:/v/link/sys`, "busybox", "echo", "it ran"), reason)
    })

    check("nor does one that it puts there at the right moment", async () => {
      const volume = `swapped-${runtime}`
      const swap = "cd /v; mkdir -p d/sys; ln -s /proc l; while :; do mv d e; mv l d; mv d l; mv e d; done"
      const attacker = await skiff.ok(
        "run",
        "-d",
        "--network",
        "none",
        "-v",
        `${volume}:/v`,
        "busybox",
        "sh",
        "-c",
        swap,
      )
      try {
        for (let round = 0; round < 15; round++) {
          // /proc/sys/kernel is the kernel's, and the host's directory has one of that name, which is empty
          const look = "test -e /proc/sys/kernel/hostname || echo over /proc"
          const { stdout } = await run("-v", `${volume}:/v`, "-v", `${host}:/v/d/sys`, "busybox", "sh", "-c", look)
          expect(stdout).toBe("")
        }
      } finally {
        await skiff.ok("rm", "-f", attacker)
      }
    })
  })
}

test("the images above run when nothing is mounted on them", async () => {
  expect(await skiff.ok("run", "--rm", "--network", "none", linked, "cat", "/srv/file")).toBe("a file")
  expect((await build(skiff, { Dockerfile: `FROM ${linked}\nRUN true` })).code).toBe(0)
})
