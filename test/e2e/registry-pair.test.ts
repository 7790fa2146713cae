/**
 * Two servers of one directory, and mirrors of one name: whichever is killed, at whatever byte, pushes and pulls go on at the other.
 *
 * One user is enough.
 */
import { afterAll, describe, expect, test } from "bun:test"
import type { ChildProcess } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Readable } from "node:stream"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"

const MEGABYTE = 1_000_000
const skiff = new Skiff()
const registry = await sharedRegistry()
/** A layer that no compression makes shorter. */
const reference = registry.push("pair/app:1", {
  layers: [{ entries: [{ name: "data", content: randomBytes(20 * MEGABYTE) }] }],
  config: { Cmd: ["/data"] },
})

interface Server {
  host: string
  process: ChildProcess
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>
}

const servers: Server[] = []
afterAll(async () => {
  await Promise.all(servers.map((server) => server.kill("SIGTERM")))
  await skiff.close()
}, 60_000)

async function serve(directory: string): Promise<Server> {
  const process = skiff.spawn(["registry", "serve", "--listen", "127.0.0.1:0", "--storage", directory])
  const exited = once(process, "exit")
  const [line] = (await once(createInterface({ input: process.stdout ?? Readable.from([]) }), "line")) as string[]
  const server: Server = {
    host: (line ?? "").replace("http://", ""),
    process,
    async kill(signal) {
      if (process.exitCode === null && process.signalCode === null) process.kill(signal)
      await exited
    },
  }
  servers.push(server)
  return server
}

interface Balancer extends AsyncDisposable {
  host: string
  /** Whether the first server was killed under it. */
  hasKilled(): boolean
  /** Bytes that servers have given. */
  received(): number
}

/**
 * One address before servers, as a load balancer is: the first that lives is led to. Once so many bytes have come from the client, or gone to
 * it, the first is killed with all that it is about.
 */
async function balancer(
  targets: readonly Server[],
  killAfter: { side: "sent" | "received"; bytes: number },
): Promise<Balancer> {
  let [counted, current, received] = [0, 0, 0]
  const open = new Set<Socket>()
  const listener = createServer((client) => {
    const target = targets[current]
    const [host = "", port = ""] = target?.host.split(":") ?? []
    const server = connect(Number(port), host)
    const count = (side: "sent" | "received") => (chunk: Buffer) => {
      if (side !== killAfter.side || current > 0) return
      counted += chunk.length
      if (counted < killAfter.bytes) return
      current = 1
      target?.process.kill("SIGKILL")
    }
    client.on("data", count("sent"))
    server.on("data", count("received"))
    server.on("data", (chunk) => (received += chunk.length))
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(one)
      one.on("error", () => other.destroy())
      one.on("close", () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  listener.listen(0, "127.0.0.1")
  await once(listener, "listening")
  return {
    host: `127.0.0.1:${(listener.address() as AddressInfo).port}`,
    hasKilled: () => current > 0,
    received: () => received,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      listener.close()
      await once(listener, "close")
    },
  }
}

const idOf = (name: string) => skiff.ok("image", "inspect", "-f", "{{.Id}}", name)
const sha256 = (bytes: string | Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** Pulls the name anew; the id says that every byte of config and layers was checked. */
async function pullAnew(name: string, options: { env?: Record<string, string> } = {}): Promise<string> {
  await skiff.run(["rmi", "-f", ...(await skiff.ok("images", "-q", "--no-trunc")).split("\n").filter(Boolean)])
  const { code, stderr } = await skiff.run(["pull", "-q", name], { timeoutMs: 90_000, ...options })
  if (code !== 0) throw new Error(stderr)
  return await idOf(name)
}

const mirror = (host: string) => `[[registry.mirror]]\nlocation = "${host}"\ninsecure = true\n`

/** Every blob of the directory has the bytes that its name says. */
function checkBlobs(directory: string, digests: readonly string[]): void {
  for (const digest of digests) {
    const bytes = readFileSync(join(directory, "blobs", digest.replace(":", "/")))
    expect(sha256(bytes)).toBe(digest)
  }
}

interface Manifest {
  config: { digest: string }
  layers: { digest: string }[]
}
const manifestAt = async (host: string, name: string) => {
  const answer = await fetch(`http://${host}/v2/${name}`, {
    headers: { Accept: "application/vnd.oci.image.manifest.v1+json" },
  })
  const { config, layers } = (await answer.json()) as Manifest
  return [config.digest, ...layers.map(({ digest }) => digest)]
}

describe("two servers of one directory", () => {
  const directory = join(skiff.home, "pair")
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test.each([
    ["sent", 1],
    ["sent", 10 * MEGABYTE],
    ["received", 100],
  ] as const)(
    "a push whose server is killed (%s: %i bytes) ends at the other, whole",
    async (side, bytes) => {
      const id = await pullAnew(reference)
      const name = `push/${side}-${bytes}:1`
      const [first, second] = [await serve(directory), await serve(directory)]
      await using front = await balancer([first, second], { side, bytes })
      await skiff.ok("tag", reference, `${front.host}/${name}`)
      const { code, stderr } = await skiff.run(["push", "-q", `${front.host}/${name}`], { timeoutMs: 90_000 })
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      expect(front.hasKilled()).toBe(true)
      checkBlobs(directory, await manifestAt(second.host, name.replace(":", "/manifests/")))
      expect(await pullAnew(`${second.host}/${name}`)).toBe(id)
      await second.kill("SIGTERM")
      rmSync(directory, { recursive: true, force: true })
    },
    120_000,
  )

  test("a pull whose server is killed in the middle of a layer goes on at the other", async () => {
    const id = await pullAnew(reference)
    const [first, second] = [await serve(directory), await serve(directory)]
    await skiff.ok("tag", reference, `${first.host}/pull/app:1`)
    await skiff.ok("push", "-q", `${first.host}/pull/app:1`)
    await using front = await balancer([first, second], { side: "received", bytes: 8 * MEGABYTE })
    expect(await pullAnew(`${front.host}/pull/app:1`)).toBe(id)
    expect(front.hasKilled()).toBe(true)
    await second.kill("SIGTERM")
  }, 120_000)

  test("take the same image and tag at once, beside a collection of garbage, and both give it", async () => {
    const id = await pullAnew(reference)
    const [first, second] = [await serve(directory), await serve(directory)]
    const names = [first, second].map(({ host }) => `${host}/both/app:1`)
    for (const name of names) await skiff.ok("tag", reference, name)
    const collect = skiff.run(["registry", "gc", "--storage", directory, "--grace", "1h"], { timeoutMs: 60_000 })
    const pushes = await Promise.all(names.map((name) => skiff.run(["push", "-q", name], { timeoutMs: 60_000 })))
    expect(pushes.map(({ code, stderr }) => ({ code, stderr }))).toEqual(pushes.map(() => ({ code: 0, stderr: "" })))
    expect((await collect).code).toBe(0)
    await first.kill("SIGKILL")
    expect(await pullAnew(names[1] ?? "")).toBe(id)
    // what the killed one began and nobody ends is no hindrance, and goes with its day
    const begun = await fetch(`http://${second.host}/v2/both/app/blobs/uploads/`, { method: "POST" })
    expect(begun.status).toBe(202)
    await second.kill("SIGTERM")
  }, 120_000)
})

describe("mirrors of one name", () => {
  test("a pull whose mirror is killed in the middle of a layer goes on at the next, from the byte at which it was", async () => {
    const directories = ["one", "two"].map((name) => join(skiff.home, `mirror-${name}`))
    const id = await pullAnew(reference)
    const [first, second] = [await serve(directories[0] ?? ""), await serve(directories[1] ?? "")]
    for (const { host } of [first, second]) {
      await skiff.ok("tag", reference, `${host}/team/app:1`)
      await skiff.ok("push", "-q", `${host}/team/app:1`)
    }
    await using front = await balancer([first], { side: "received", bytes: 8 * MEGABYTE })
    await using next = await balancer([second], { side: "received", bytes: Infinity })
    const conf = join(skiff.home, "mirrors.conf")
    // the name itself leads nowhere
    writeFileSync(
      conf,
      `[[registry]]\nprefix = "mirrored.test"\nlocation = "127.0.0.1:1"\n${mirror(front.host)}${mirror(next.host)}`,
      { mode: 0o644 },
    )
    const asked = { env: { CONTAINERS_REGISTRIES_CONF: conf } }
    expect(await pullAnew("mirrored.test/team/app:1", asked)).toBe(id)
    expect(front.hasKilled()).toBe(true)
    // what the first had given is not asked for again
    expect(next.received()).toBeGreaterThan(5 * MEGABYTE)
    expect(next.received()).toBeLessThan(15 * MEGABYTE)
    await second.kill("SIGTERM")
    for (const directory of directories) rmSync(directory, { recursive: true, force: true })
  }, 120_000)
})
