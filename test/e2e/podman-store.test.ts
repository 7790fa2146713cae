/** Images out of podman's own store, which podman made: with the same ids, and nothing there is changed. One user is enough. */
import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { busyboxEntries } from "../support/image.ts"
import { noPodmanHere, openPodmanHome } from "../support/podman-home.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const registry = await sharedRegistry()
if (noPodmanHere) console.log(`skipped: podman's store (${noPodmanHere})`)

/** All there is of the tree, with its times. */
const listing = (path: string) =>
  spawnSync("find", [path, "-name", "*.lock", "-o", "-printf", "%P %y %m %U %s %T@\n"]).stdout.toString()

describe.skipIf(noPodmanHere !== false)("containers-storage:", () => {
  const podman = openPodmanHome(skiff.directory, skiff.home)
  afterAll(() => podman.remove(), 60_000)
  const copy = async (...words: string[]) =>
    await skiff.run(["image", "copy", "-q", ...words], { env: podman.env, timeoutMs: 60_000 })
  const copied = async (...words: string[]) => {
    const { code, stderr } = await copy(...words)
    if (code !== 0) throw new Error(stderr)
  }
  const reference = registry.push("podman/odd:1", {
    layers: [
      {
        entries: [
          ...busyboxEntries(),
          { name: "etc/gone", content: "x" },
          { name: "etc/d/", type: "directory" },
          { name: "etc/d/f" },
        ],
      },
      {
        entries: [
          { name: "etc/.wh.gone" },
          { name: "etc/d/.wh..wh..opq" },
          { name: "etc/caf\u00e9", content: "y".repeat(3_000_000), mode: 0o4755, uid: 1000 },
          { name: "etc/hard", type: "hardlink", linkName: "etc/caf\u00e9" },
          { name: "etc/secret", content: "z", mode: 0, uid: 33, gid: 33 },
        ],
        compression: "zstd",
      },
    ],
    config: { Env: ["A=b"], Cmd: ["sh"] },
  })
  podman.ok("pull", "-q", "--tls-verify=false", reference)
  podman.ok("tag", reference, "localhost/odd:2")
  const id = podman.ok("image", "inspect", "--format", "{{.Id}}", reference)

  test("gives an image that podman pulled with its id, runs, and leaves the store as it was", async () => {
    const before = listing(podman.graphRoot)
    await copied(`containers-storage:${reference}`, "taken:1")
    expect(await skiff.ok("image", "inspect", "-f", "{{.Id}}", "taken:1")).toBe(`sha256:${id}`)
    const script = "cat /etc/hard | wc -c; ls /etc/gone /etc/d/f 2>&1 | wc -l; stat -c %u:%a /etc/secret"
    const said = await skiff.ok("run", "--rm", "--network", "none", "taken:1", "sh", "-c", script)
    expect(said.split(/\s+/)).toEqual(["3000000", "2", "33:0"])
    expect(listing(podman.graphRoot)).toBe(before)
  }, 60_000)

  test("knows an image by short name, id, the beginning of it, and digest, and another store by its path", async () => {
    const root = `[overlay@${podman.graphRoot}+/run/nowhere:overlay.x=y]`
    const digest = podman.ok("image", "inspect", "--format", "{{.Digest}}", reference)
    for (const word of ["odd:2", `localhost/odd:2`, id, id.slice(0, 12), `${reference.replace(/:1$/, "")}@${digest}`]) {
      await copied(`containers-storage:${word}`, `oci:${join(skiff.home, "layout")}:x`)
      rmSync(join(skiff.home, "layout"), { recursive: true })
    }
    const { code } = await skiff.run(["image", "copy", "-q", `containers-storage:${root}odd:2`, "other:1"])
    expect(code).toBe(0)
  }, 60_000)

  test("gives what podman committed, to the store and to a registry", async () => {
    const container = podman.ok("create", reference, "sh")
    const file = join(skiff.home, "added")
    writeFileSync(file, "added\n", { mode: 0o644 })
    podman.ok("cp", file, `${container}:/etc/added`)
    podman.ok("commit", "-q", container, "localhost/committed:1")
    podman.ok("rm", container)
    const made = podman.ok("image", "inspect", "--format", "{{.Id}}", "localhost/committed:1")
    await copied("containers-storage:localhost/committed:1", `docker://${registry.host}/podman/committed:1`)
    await copied("containers-storage:localhost/committed:1", "committed:1")
    expect(await skiff.ok("image", "inspect", "-f", "{{.Id}}", "committed:1")).toBe(`sha256:${made}`)
    expect(await skiff.ok("run", "--rm", "--network", "none", "committed:1", "cat", "/etc/added")).toBe("added")
  }, 60_000)

  test("refuses to keep a digest that podman does not keep, an image that is not there, and to write", async () => {
    const kept = await copy("--preserve-digests", `containers-storage:${reference}`, `dir:${join(skiff.home, "kept")}`)
    expect(kept).toMatchObject({ code: 1, stderr: expect.stringContaining("unpacked") })
    const absent = await copy("containers-storage:absent:1", "x")
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('no image "absent:1"') })
    const written = await copy("busybox", "containers-storage:x")
    expect(written).toMatchObject({ code: 1, stderr: expect.stringContaining("changed by podman alone") })
    mkdirSync(join(skiff.home, "empty"))
    const nowhere = await copy(`containers-storage:[${join(skiff.home, "empty")}]x`, "x")
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining("no store of podman") })
  })

  test("gives an image of the driver vfs", async () => {
    const vfs = openPodmanHome(skiff.directory, skiff.home, "vfs")
    try {
      vfs.ok("pull", "-q", "--tls-verify=false", reference)
      const { code, stderr } = await skiff.run(["image", "copy", "-q", `containers-storage:${reference}`, "vfs:1"], {
        env: vfs.env,
      })
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      expect(await skiff.ok("image", "inspect", "-f", "{{.Id}}", "vfs:1")).toBe(`sha256:${id}`)
    } finally {
      vfs.remove()
    }
  }, 60_000)

  test("a layer whose file somebody changed is refused by its digest, and nothing stays", async () => {
    const layers = JSON.parse(readFileSync(join(podman.graphRoot, "overlay-layers/layers.json"), "utf8")) as {
      id: string
      parent?: string
    }[]
    const lowest = layers.find(({ parent }) => parent === undefined)?.id ?? ""
    const file = join(podman.graphRoot, "overlay", lowest, "diff/etc/passwd")
    const bytes = readFileSync(file)
    bytes[0] = (bytes[0] ?? 0) ^ 1
    await skiff.ok("rmi", "-f", "taken:1", "other:1", "committed:1", "vfs:1")
    writeFileSync(file, bytes)
    const { code, stderr } = await copy(`containers-storage:${reference}`, "changed:1")
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("unpacks to") })
    expect((await skiff.run(["image", "exists", "changed:1"])).code).toBe(1)
  }, 60_000)
})
