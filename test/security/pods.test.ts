/** What the containers of a pod can reach of each other and of the host, and what images can do about their secrets. */
import { readFileSync, readlinkSync } from "node:fs"
import { afterEach, beforeAll, describe, expect, test } from "bun:test"
import { Canary } from "../support/canary.ts"
import { busyboxEntries } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"
import type { TarEntry } from "../support/tar.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const VALUE = "correct-horse-battery-staple"
afterEach(() => skiff.ok("pod", "rm", "-f", "--all"))

const sh = async (container: string, script: string) =>
  (await skiff.run(["exec", container, "sh", "-c", script])).stdout.trim()
const member = (pod: string, name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--stop-timeout", "0", "--pod", pod, "--name", name, ...flags, "busybox", "sleep", "1000")

describe("containers of a pod", () => {
  test("keep no memory of ended ones beyond the pod's stop, and never show it to another pod", async () => {
    for (const name of ["one", "two"]) await skiff.ok("pod", "create", "--name", name, "--shm-size", "2m")
    await member("one", "writer")
    await member("one", "reader")
    await member("two", "stranger")
    await sh("writer", "echo memory > /dev/shm/left; mkfifo /dev/shm/pipe; ln -s /etc/shadow /dev/shm/link")
    await skiff.ok("rm", "-f", "writer")
    expect(await sh("reader", "cat /dev/shm/left")).toBe("memory")
    expect(await sh("stranger", "ls -A /dev/shm")).toBe("")
    // it is one limit for all of them, and no program is run from it
    expect(await sh("reader", "dd if=/dev/zero of=/dev/shm/full bs=1M count=8 2>&1 | grep -c 'No space'")).toBe("1")
    expect(await sh("reader", "cp /bin/busybox /dev/shm/x 2>/dev/null; /dev/shm/x true 2>/dev/null || echo no")).toBe(
      "no",
    )
    await skiff.ok("pod", "restart", "one")
    expect(await sh("reader", "ls -A /dev/shm")).toBe("")
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(`${skiff.root}/`)
  })

  test("have their own secrets, files and processes, also with a capability to look", async () => {
    await skiff.run(["secret", "create", "--replace", "token", "-"], { stdin: VALUE })
    await skiff.ok("pod", "create", "--name", "apart")
    await member("apart", "holder", "--secret", "token", "--secret", "token,type=env")
    await member("apart", "looker", "--cap-add", "SYS_PTRACE")
    expect(await sh("looker", "cat /run/secrets/token 2>/dev/null || echo none")).toBe("none")
    expect(await sh("looker", `cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c ${VALUE}`)).toBe("0")
    expect(await sh("looker", "ls /proc | grep -c '^[0-9]'")).not.toBe("0")
  })

  test("do not find the caller's environment in the pod's first process, also with a capability to look", async () => {
    const env = { HOSTSECRET: VALUE }
    await skiff.run(["pod", "create", "--name", "shared", "--share", "net,ipc,uts,pid"], { env })
    const words = ["run", "-d", "--stop-timeout", "0", "--pod", "shared", "--name", "looker", "--cap-add", "SYS_PTRACE"]
    expect((await skiff.run([...words, "busybox", "sleep", "1000"], { env })).code).toBe(0)
    expect(await sh("looker", "tr '\\0' '\\n' < /proc/1/environ | cut -d= -f1")).toMatch(/^(PATH|PWD)(\n(PATH|PWD))*$/)
    expect(await sh("looker", `cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c ${VALUE}`)).toBe("0")
  })

  test("do not come into the host's namespaces by the pod's", async () => {
    await skiff.ok("pod", "create", "--name", "inside", "--share", "net,ipc,uts,pid")
    await member("inside", "prisoner")
    for (const kind of ["net", "ipc", "uts", "pid"])
      expect(await sh("prisoner", `readlink /proc/self/ns/${kind}`)).not.toBe(readlinkSync(`/proc/self/ns/${kind}`))
    await sh("prisoner", "hostname changed; kill -9 1")
    expect(await skiff.ok("pod", "inspect", "-f", "{{.State}}", "inside")).toBe("Running")
  })

  test("a pod is not joined, made or named by what an image says", async () => {
    const labels = { "io.kubernetes.pod.name": "inside", pod: "inside", "io.podman.annotations.pod": "inside" }
    const reference = await push("labelled", [], { Labels: labels, Cmd: ["hostname"] })
    await skiff.ok("pod", "create", "--name", "inside")
    expect(await skiff.ok("run", "--rm", reference)).not.toBe("inside")
    for (const name of ["../x", "a/b", "-x", "a b", "x\n"]) {
      const { code } = await skiff.run(["pod", "create", "--", name])
      expect({ name, code: code === 0 }).toEqual({ name, code: false })
    }
  })
})

async function push(name: string, entries: readonly TarEntry[], config: object = {}): Promise<string> {
  const registry = await sharedRegistry()
  const given = new Set(entries.map((entry) => entry.name.split("/")[0]))
  const base = busyboxEntries().filter((entry) => !given.has(entry.name.replace(/\/$/, "")))
  const layers = [{ entries: [...base, ...entries] }]
  const reference = await registry.push(`hostile/${name}:1`, { layers, config: { Cmd: ["sh"], ...config } })
  await skiff.ok("pull", "-q", reference)
  return reference
}

const link = (name: string, linkName: string): TarEntry => ({ name, type: "symlink", linkName })

describe("secrets, and images that have links where they are to be", () => {
  const canary = new Canary()
  beforeAll(async () => {
    await skiff.run(["secret", "create", "--replace", "token", "-"], { stdin: VALUE })
  })

  test("a link out of the image leads to its own files, and the host's stay as they are", async () => {
    const reference = await push("outside", [link("run", `../../../..${canary.directory}`)])
    const script = "cat /run/secrets/token; echo over > /run/secrets/token"
    const { stdout } = await skiff.run(["run", "--rm", "--secret", "token", reference, "sh", "-c", script])
    expect(stdout.trim()).toBe(VALUE)
    canary.check()
    canary.remove()
  })

  test("one that leads to the kernel's file systems is refused, and nothing runs", async () => {
    for (const [name, target] of [
      ["proc", "/proc/self"],
      ["sys", "/sys/kernel"],
    ] as const) {
      const reference = await push(`to-${name}`, [{ name: "run/", type: "directory" }, link("run/secrets", target)])
      const { code, stdout } = await skiff.run(["run", "--rm", "--secret", "token", reference, "echo", "it ran"])
      expect({ name, stdout, ended: code === 0 }).toEqual({ name, stdout: "", ended: false })
    }
  })

  test("a file of another user's is not readable when its mode says so", async () => {
    const words = ["--secret", "token,uid=0,mode=0400", "--user", "1000", "busybox", "cat", "/run/secrets/token"]
    const { code, stdout } = await skiff.run(["run", "--rm", ...words])
    expect({ stdout, failed: code !== 0 }).toEqual({ stdout: "", failed: true })
  })

  test("the program's arguments, config and monitor show none", async () => {
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "shows",
      "--secret",
      "token",
      "--secret",
      "token,type=env",
      "busybox",
      "sleep",
      "100",
    )
    await eventually(async () => expect(await skiff.ok("ps", "-q", "-f", "name=shows")).not.toBe(""))
    const pid = await skiff.ok("inspect", "-f", "{{.State.Pid}}", "shows")
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).not.toContain(VALUE)
    for (const verb of ["inspect", "logs", "top"]) expect(await skiff.ok(verb, "shows")).not.toContain(VALUE)
    await skiff.ok("rm", "-f", "shows")
  })
})
