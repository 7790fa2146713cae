/** `registry ls|tags|inspect|rm`, `image list-tags|delete`: of a foreign registry and of ours, as skopeo sees them. One user is enough. */
import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import { createInterface } from "node:readline"
import { hostArchitecture } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const registry = await sharedRegistry()
const other = hostArchitecture() === "amd64" ? "arm64" : "amd64"
const marked = (text: string, architecture = hostArchitecture()) => ({
  layers: [{ entries: [{ name: "text", content: text }] }],
  config: { Labels: { text }, Env: ["A=1"] },
  architecture,
})
const one = registry.push("look/one:1", marked("one"))
registry.push("look/one:2", marked("two"))
const two = registry.push("look/two:1", marked("this"), marked("that", other))

function skopeo(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("skopeo", args, { encoding: "utf8" })
  if (status !== 0) throw new Error(`skopeo ${args.join(" ")}: ${stderr}`)
  return stdout
}

let server: ChildProcess | undefined
/** Our own registry, which is pushed to. */
async function ours(): Promise<string> {
  const directory = join(skiff.directory, "home", "registry")
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, 0o777)
  server = skiff.spawn(["registry", "serve", "--listen", "127.0.0.1:0", "--storage", directory])
  const [line] = (await once(createInterface({ input: server.stdout ?? Readable.from([]) }), "line")) as string[]
  return (line ?? "").replace("http://", "")
}

describe("a registry", () => {
  afterAll(async () => {
    if (server === undefined) return
    const ended = once(server, "exit")
    server.kill("SIGTERM")
    await ended
  })

  test("is listed: its repositories, and the tags of one", async () => {
    const repositories = (await skiff.ok("registry", "ls", registry.host)).split("\n")
    expect(repositories).toContain(`${registry.host}/look/one`)
    expect((await skiff.ok("registry", "tags", `${registry.host}/look/one`)).split("\n").toSorted()).toEqual(["1", "2"])
    const place = `docker://${registry.host}/look/one`
    const theirs: unknown = JSON.parse(skopeo("list-tags", "--tls-verify=false", place))
    expect(JSON.parse(await skiff.ok("image", "list-tags", place))).toEqual(theirs as object)
  })

  test("is asked what an image is, as skopeo shows it", async () => {
    const args = ["inspect", "--tls-verify=false"]
    const theirs = JSON.parse(skopeo(...args, `docker://${one}`)) as Record<string, unknown>
    expect(JSON.parse(await skiff.ok("registry", "inspect", one))).toMatchObject({ ...theirs, DockerVersion: "" })
    expect(await skiff.ok("registry", "inspect", "--raw", two)).toBe(skopeo(...args, "--raw", `docker://${two}`))
    expect(await skiff.ok("registry", "inspect", "--raw", "--config", one)).toBe(
      skopeo(...args, "--raw", "--config", `docker://${one}`),
    )
    const chosen = ["registry", "inspect", "-n", "-f", "{{.Architecture}} {{.Labels.text}}"]
    expect(await skiff.ok(...chosen, "--platform", `linux/${other}`, two)).toBe(`${other} that`)
    expect(await skiff.ok(...chosen, two)).toBe(`${hostArchitecture()} this`)
  })

  test("deletes an image with its tags, and where it can a tag alone", async () => {
    const host = await ours()
    for (const tag of ["1", "2", "3"]) await skiff.ok("image", "copy", "-q", "busybox", `docker://${host}/own/b:${tag}`)
    const tags = async (name: string) => (await skiff.run(["registry", "tags", name])).stdout.trim().split("\n")
    await skiff.ok("registry", "rm", "--tag-only", `${host}/own/b:3`)
    expect(await tags(`${host}/own/b`)).toEqual(["1", "2"])
    await skiff.ok("image", "delete", `docker://${host}/own/b:1`)
    expect((await tags(`${host}/own/b`)).filter(Boolean)).toEqual([])
    const again = await skiff.run(["image", "delete", `docker://${host}/own/b:1`])
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("404") })
  })

  test("of Debian deletes images, and says that it deletes no tag alone", async () => {
    const name = registry.push("look/gone:1", marked("gone"))
    const { code, stderr } = await skiff.run(["registry", "rm", "--tag-only", name])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("deletes no tags without") })
    expect(await skiff.ok("registry", "rm", name)).toBe(name)
    expect((await skiff.run(["registry", "inspect", name])).code).toBe(1)
  })

  test("what names no registry's image is refused", async () => {
    expect((await skiff.run(["image", "delete", "busybox"])).stderr).toContain("docker://NAME")
    expect((await skiff.run(["registry", "rm", "--tag-only", `${one}@sha256:${"0".repeat(64)}`])).stderr).toContain(
      "no tag alone",
    )
  })
})
