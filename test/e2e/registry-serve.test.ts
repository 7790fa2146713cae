/**
 * `registry serve`: what docker, podman, skopeo and skiff push to it and pull from it, and how it ends.
 *
 * One user is enough.
 */
import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHash } from "node:crypto"
import { readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { createInterface } from "node:readline"
import { noDocker, noPodman, startDocker, startPodman, type OtherEngine } from "../support/other-engines.ts"
import { Skiff } from "../support/skiff.ts"
import { openStore, testUnless } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const others = [noPodman === false ? startPodman() : undefined, noDocker === false ? await startDocker() : undefined]
const engines = others.filter((engine) => engine !== undefined)
afterAll(() => Promise.all(engines.map((engine) => engine.stop())), 60_000)
const noEngine = (name: OtherEngine["name"]) =>
  engines.some((engine) => engine.name === name)
    ? false
    : (name === "podman" ? noPodman : noDocker) || `no ${name} here`
const idOf = (name: string, from = skiff) => from.ok("image", "inspect", "-f", "{{.Id}}", name)

/** A server, and the address that it says. */
async function serve(
  ...args: string[]
): Promise<{ address: string; server: ChildProcess; end(): Promise<number | null> }> {
  const server = skiff.spawn(["registry", "serve", "--listen", "127.0.0.1:0", ...args])
  const errors: string[] = []
  server.stderr?.on("data", (chunk) => errors.push(String(chunk)))
  const [line] = (await Promise.race([
    once(createInterface({ input: server.stdout ?? Readable.from([]) }), "line"),
    once(server, "exit").then(() => Promise.reject(new Error(errors.join("")))),
  ])) as string[]
  const exited = once(server, "exit") as Promise<[number | null]>
  return {
    address: (line ?? "").replace("http://", ""),
    server,
    async end() {
      server.kill("SIGTERM")
      const [code] = await exited
      return code
    },
  }
}

describe("registry serve --storage", () => {
  const directory = join(skiff.directory, "home", "registry")
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test("keeps what skiff pushes, under the same id, for an empty store to pull; also after a new start", async () => {
    const first = await serve("--storage", directory)
    const name = `${first.address}/team/app:1`
    await skiff.ok("tag", "busybox", name)
    await skiff.ok("push", "-q", name)
    expect(await first.end()).toBe(0)
    const second = await serve("--storage", directory)
    const other = new Skiff()
    try {
      await other.ok("pull", "-q", `${second.address}/team/app:1`)
      expect(await idOf(`${second.address}/team/app:1`, other)).toBe(await idOf("busybox"))
    } finally {
      await other.close()
    }
    await second.end()
  })

  for (const name of ["podman", "docker"] as const)
    testUnless(noEngine(name))(`takes what ${name} pushes, gives what it pulls, and it runs`, async () => {
      const engine = engines.find((one) => one.name === name)
      if (engine === undefined) throw new Error("unreachable")
      const { address, end } = await serve("--storage", directory)
      await skiff.ok("tag", "busybox", `${address}/from/skiff:1`)
      await skiff.ok("push", "-q", `${address}/from/skiff:1`)
      engine.ok("pull", ...engine.pullFlags, `${address}/from/skiff:1`)
      expect(engine.ok("run", ...engine.runFlags, `${address}/from/skiff:1`, "echo", "ran")).toBe("ran")
      engine.ok("tag", `${address}/from/skiff:1`, `${address}/from/${name}:1`)
      engine.ok("push", ...engine.pullFlags, `${address}/from/${name}:1`)
      await skiff.ok("pull", "-q", `${address}/from/${name}:1`)
      expect(await idOf(`${address}/from/${name}:1`)).toBe(await idOf("busybox"))
      await end()
    })

  test("killed in the middle of a push, it has the push go on at the next start", async () => {
    const { address, server } = await serve("--storage", directory)
    await skiff.ok("tag", "busybox", `${address}/cut/app:1`)
    const begun = await fetch(`http://${address}/v2/cut/app/blobs/uploads/`, { method: "POST" })
    const location = begun.headers.get("Location") ?? ""
    await fetch(`http://${address}${location}`, { method: "PATCH", body: "half" })
    server.kill("SIGKILL")
    await once(server, "exit")
    const again = await serve("--storage", directory)
    expect((await fetch(`http://${again.address}${location}`)).headers.get("Range")).toBe("0-3")
    await again.end()
  })

  test("says at /metrics and to a webhook what was pushed", async () => {
    const own = join(skiff.directory, "home", "told")
    const told: string[] = []
    const hook = createServer(async (request, response) => {
      const { events } = JSON.parse(await text(request)) as { events: { action: string; target: { tag?: string } }[] }
      told.push(...events.map(({ action, target }) => `${action} ${target.tag ?? ""}`.trim()))
      response.end()
    })
    hook.listen(0, "127.0.0.1")
    await once(hook, "listening")
    const { port } = hook.address() as AddressInfo
    const { address, end } = await serve("--storage", own, "--metrics", "--webhook", `http://127.0.0.1:${port}/`)
    await skiff.ok("tag", "busybox", `${address}/app:1`)
    await skiff.ok("push", "-q", `${address}/app:1`)
    await eventually(() => expect(told).toContain("push 1"))
    const metrics = await (await fetch(`http://${address}/metrics`)).text()
    expect(metrics).toContain('skiff_registry_requests_total{method="PUT",resource="manifest",code="201"} 1')
    await end()
    hook.close()
    rmSync(own, { recursive: true })
  })

  test("tells who pushes to an immutable tag, or more than its quota, that it is refused", async () => {
    const own = join(skiff.directory, "home", "limited")
    const { address, end } = await serve("--storage", own, "--immutable", "**:v*", "--quota", "small/**=1k")
    const push = async (image: string, name: string) => {
      await skiff.ok("tag", image, `${address}/${name}`)
      return skiff.run(["push", "-q", `${address}/${name}`])
    }
    expect((await push("busybox", "app:v1")).code).toBe(0)
    expect((await push("busybox", "app:v1")).code).toBe(0)
    await skiff.ok("create", "--name", "changed", "busybox")
    await skiff.ok("commit", "-c", "ENV CHANGED=1", "changed", "changed:1")
    const moved = await push("changed:1", "app:v1")
    expect([moved.code, moved.stderr]).toEqual([expect.any(Number), expect.stringContaining("is immutable")])
    const tooMuch = await push("busybox", "small/app:1")
    expect([tooMuch.code, tooMuch.stderr]).toEqual([expect.any(Number), expect.stringContaining("has no room for")])
    expect(moved.code * tooMuch.code).toBeGreaterThan(0)
    await end()
    rmSync(own, { recursive: true })
  })

  test("collects while it serves, and by a command: what no tag leads to goes, images stay", async () => {
    const own = join(skiff.directory, "home", "collected")
    const { address, end } = await serve("--storage", own, "--gc-after", "1s", "--gc-grace", "0s", "--gc-untagged")
    await skiff.ok("tag", "busybox", `${address}/kept:1`)
    await skiff.ok("push", "-q", `${address}/kept:1`)
    const upload = (content: string) => {
      const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`
      return fetch(`http://${address}/v2/app/blobs/uploads/?digest=${digest}`, { method: "POST", body: content })
    }
    expect((await upload("orphan")).status).toBe(201)
    // the link goes first, its content after it: who stops the server between them leaves that to the next collection
    const hex = createHash("sha256").update("orphan").digest("hex")
    await eventually(() =>
      expect((readdirSync(own, { recursive: true }) as string[]).filter((path) => path.includes(hex))).toEqual([]),
    )
    await end()
    const again = await serve("--storage", own)
    const other = new Skiff()
    try {
      await other.ok("pull", "-q", `${again.address}/kept:1`)
    } finally {
      await other.close()
    }
    await again.end()
    const dry = await skiff.ok("registry", "gc", "--storage", own, "--grace", "0s", "--dry-run")
    expect(dry.split("\n")).toEqual(["manifests: 0", "links: 0", "blobs: 0", "uploads: 0", "Reclaimable space: 0B"])
    rmSync(own, { recursive: true })
  })

  test("says what is wrong with its flags", async () => {
    for (const [args, words] of [
      [["--listen", "nonsense:port"], "expected ADDRESS:PORT"],
      [["--tls-cert", "/etc/hostname"], "--tls-cert and --tls-key go together"],
      [["--webhook", "ftp://x"], 'expected http://… or https://…, not "ftp://x"'],
      [["--quota", "1GB"], "--immutable and --quota are for a registry that is pushed to"],
      [["--storage", directory, "--immutable", "a:b:c"], 'expected REPOSITORIES[:TAGS], not "a:b:c"'],
      [["--gc-after", "1h"], "--gc-after needs --storage"],
      [["--storage", directory, "--gc-untagged"], "--gc-grace and --gc-untagged need --gc-after"],
      [["--storage", "/proc/nowhere/registry"], 'cannot make the directory "/proc/nowhere/registry"'],
    ] as const) {
      const { code, stderr } = await skiff.run(["registry", "serve", ...args])
      expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining(words)])
      expect(code).not.toBe(0)
    }
    const { address, end } = await serve("--storage", directory)
    const taken = await skiff.run(["registry", "serve", "--listen", address])
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining("is used by another program")])
    await end()
    const none = await skiff.run(["registry", "gc", "--storage", "/etc"])
    expect([none.code, none.stderr]).toEqual([125, expect.stringContaining("is no directory of a registry")])
  })
})

describe("registry serve with users", () => {
  const directory = join(skiff.directory, "home", "guarded")
  const users = join(skiff.directory, "users")
  const hash = Bun.password.hashSync("secret", { algorithm: "bcrypt", cost: 4 })
  writeFileSync(users, `anna:${hash}\n`, { mode: 0o644 })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test("lets those in who log in, and others pull where that was asked for", async () => {
    const { address, end } = await serve("--storage", directory, "--htpasswd", users, "--anonymous-pull")
    await skiff.ok("tag", "busybox", `${address}/team/app:1`)
    const refused = await skiff.run(["push", "-q", `${address}/team/app:1`])
    expect([refused.code, refused.stderr]).toEqual([
      expect.any(Number),
      expect.stringContaining("authentication required"),
    ])
    expect((await skiff.run(["login", "-u", "anna", "-p", "wrong", address])).code).not.toBe(0)
    await skiff.ok("login", "-u", "anna", "-p", "secret", address)
    await skiff.ok("push", "-q", `${address}/team/app:1`)
    await skiff.ok("logout", address)
    await skiff.ok("pull", "-q", `${address}/team/app:1`)
    const engine = engines.find(({ name }) => name === "podman")
    if (engine !== undefined) {
      engine.ok("pull", ...engine.pullFlags, `${address}/team/app:1`)
      engine.ok("tag", `${address}/team/app:1`, `${address}/team/podman:1`)
      expect(() => engine.ok("push", ...engine.pullFlags, `${address}/team/podman:1`)).toThrow("unauthorized")
      engine.ok("push", ...engine.pullFlags, "--creds", "anna:secret", `${address}/team/podman:1`)
    }
    await end()
  })

  test("with TLS by a certificate that is made here, which this user's tools trust while it is served", async () => {
    const { address, end } = await serve("--storage", directory, "--htpasswd", users, "--tls", "auto")
    const name = `${address.replace("https://", "")}/secure/app:1`
    await skiff.ok("tag", "busybox", name)
    await skiff.ok("login", "-u", "anna", "-p", "secret", name.replace("/secure/app:1", ""))
    await skiff.ok("push", "-q", "--tls-verify=true", name)
    await end()
    const again = await serve("--storage", directory, "--htpasswd", users, "--tls", "auto")
    const other = again.address.replace("https://", "")
    await skiff.ok("pull", "-q", "--tls-verify=true", "--creds", "anna:secret", `${other}/secure/app:1`)
    await again.end()
  })
})

describe("registry serve --proxy", () => {
  const [behind, before] = ["behind", "before"].map((name) => join(skiff.directory, "home", name)) as [string, string]
  afterAll(() => [behind, before].forEach((directory) => rmSync(directory, { recursive: true, force: true })))

  test("gives what another registry has, once fetched also without it; and takes nothing", async () => {
    const upstream = await serve("--storage", behind)
    await skiff.ok("tag", "busybox", `${upstream.address}/team/app:1`)
    await skiff.ok("push", "-q", `${upstream.address}/team/app:1`)
    const proxy = await serve("--storage", before, "--proxy", `http://${upstream.address}`)
    const other = new Skiff()
    try {
      // several at once fetch a layer once
      await Promise.all([
        other.ok("pull", "-q", `${proxy.address}/team/app:1`),
        skiff.ok("pull", "-q", `${proxy.address}/team/app:1`),
      ])
      expect(await idOf(`${proxy.address}/team/app:1`, other)).toBe(await idOf("busybox"))
      const none = await other.run(["pull", "-q", `${proxy.address}/team/none:1`])
      expect(none.code).not.toBe(0)
      await upstream.end()
      await other.ok("rmi", "-f", `${proxy.address}/team/app:1`)
      await other.ok("pull", "-q", `${proxy.address}/team/app:1`)
      expect(await other.ok("run", "--rm", "--network", "none", `${proxy.address}/team/app:1`, "echo", "ran")).toBe(
        "ran",
      )
      const layer = await fetch(`http://${proxy.address}/v2/team/app/manifests/1`)
      expect(layer.status).toBe(200)
      await skiff.ok("tag", "busybox", `${proxy.address}/team/mine:1`)
      expect((await skiff.run(["push", "-q", `${proxy.address}/team/mine:1`])).stderr).toContain(
        "nothing can be changed",
      )
    } finally {
      await other.close()
      await proxy.end()
    }
  })
})

describe("registry serve of the local images", () => {
  test("gives a built image, whose layer is files alone, to others; and takes nothing", async () => {
    await skiff.ok("run", "--name", "maker", "--network", "none", "busybox", "sh", "-c", "echo made > /made")
    await skiff.ok("commit", "maker", "own:1")
    await skiff.ok("rm", "maker")
    const { address, end } = await serve()
    const other = new Skiff()
    try {
      await other.ok("pull", "-q", `${address}/own:1`)
      expect(await idOf(`${address}/own:1`, other)).toBe(await idOf("own:1"))
      expect(await other.ok("run", "--rm", "--network", "none", `${address}/own:1`, "cat", "/made")).toBe("made")
    } finally {
      await other.close()
    }
    const { status, stdout } = spawnSync("skopeo", ["list-tags", "--tls-verify=false", `docker://${address}/own`])
    expect([status, stdout.toString()]).toEqual([0, expect.stringContaining('"1"')])
    const pushed = await skiff.run(["push", "own:1", `${address}/other:1`])
    expect([pushed.code, pushed.stderr]).toEqual([
      expect.any(Number),
      expect.stringContaining("nothing can be changed"),
    ])
    await end()
  })
})
