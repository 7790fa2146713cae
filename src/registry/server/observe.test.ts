/** Metrics and webhooks of a real server. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { eventually } from "../../../test/support/wait.ts"
import { openContentStore } from "../../content/open.ts"
import { OPEN_ACCESS, type Access } from "./access.ts"
import { RegistryError } from "./answers.ts"
import { ENVELOPE_TYPE, type NotificationEvent } from "./notifications.ts"
import { observe } from "./observe.ts"
import { serve } from "./serve.ts"
import type { RegistryServer } from "./server.ts"
import { DirectoryStore } from "./store/directory-store.ts"
import type { Webhook } from "./webhook.ts"

const MANIFEST = "application/vnd.oci.image.manifest.v1+json"
const digestOf = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`
const CONFIG = digestOf("{}")
const IMAGE = JSON.stringify({ schemaVersion: 2, config: { mediaType: "x/y", digest: CONFIG, size: 2 }, layers: [] })

let directory: string
const opened: AsyncDisposable[] = []
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "skiff-registry-observed-"))))
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

interface Opened {
  server: RegistryServer
  webhooks: Webhook[]
}

async function open({ metrics = false, webhooks = [] as string[], access = OPEN_ACCESS } = {}): Promise<Opened> {
  const store = new DirectoryStore(directory, openContentStore({ root: directory }))
  let self = ""
  const observed = await observe({ metrics, webhooks, self: () => self })
  const server = serve({ store, access, ...observed }, { hostname: "127.0.0.1", port: 0 })
  self = server.url
  opened.push(store, ...observed.webhooks, server)
  return { server, webhooks: observed.webhooks }
}

const ask = ({ server }: Opened, method: string, path: string, init: RequestInit = {}) =>
  fetch(new URL(path, server.url), { method, ...init })

/** Pushes a blob and a manifest, pulls, mounts and deletes. */
async function useAll(registry: Opened): Promise<void> {
  await ask(registry, "POST", `/v2/app/blobs/uploads/?digest=${CONFIG}`, { body: "{}" })
  await ask(registry, "PUT", "/v2/app/manifests/1", { body: IMAGE, headers: { "Content-Type": MANIFEST } })
  await ask(registry, "GET", "/v2/app/manifests/none")
  await (await ask(registry, "GET", "/v2/app/manifests/1", { headers: { "User-Agent": "x".repeat(4000) } })).text()
  await ask(registry, "HEAD", `/v2/app/blobs/${CONFIG}`)
  await (await ask(registry, "GET", `/v2/app/blobs/${CONFIG}`)).text()
  await ask(registry, "POST", `/v2/other/blobs/uploads/?mount=${CONFIG}&from=app`)
  await ask(registry, "DELETE", "/v2/app/manifests/1")
}

/** One that takes events, as `answer` says. */
async function receiver(answer: (request: IncomingMessage) => number) {
  const bodies: { type: string | undefined; authorization: string | undefined; events: NotificationEvent[] }[] = []
  const http = createServer(async (request, response) => {
    const { events } = JSON.parse(await text(request)) as { events: NotificationEvent[] }
    const status = answer(request)
    if (status < 300)
      bodies.push({ type: request.headers["content-type"], authorization: request.headers.authorization, events })
    response.writeHead(status).end()
  })
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  opened.push({ [Symbol.asyncDispose]: async () => void http.close() })
  const { port } = http.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}/events`, bodies, events: () => bodies.flatMap(({ events }) => events) }
}

describe("webhooks", () => {
  test("are told of what was pushed, pulled, mounted and deleted, in order, and of nothing else", async () => {
    const hook = await receiver(() => 200)
    const registry = await open({ webhooks: [hook.url.replace("http://", "http://anna:secret@")] })
    await useAll(registry)
    await eventually(() => expect(hook.events()).toHaveLength(6))
    const told = hook.events().map(({ action, target }) => [action, target.repository, target.tag, target.digest])
    expect(told).toEqual([
      ["push", "app", undefined, CONFIG],
      ["push", "app", "1", digestOf(IMAGE)],
      ["pull", "app", "1", digestOf(IMAGE)],
      ["pull", "app", undefined, CONFIG],
      ["mount", "other", undefined, CONFIG],
      ["delete", "app", "1", undefined],
    ])
    const [, pushed, pulled] = hook.events()
    expect(pushed).toMatchObject({
      target: {
        mediaType: MANIFEST,
        size: IMAGE.length,
        url: `${registry.server.url}/v2/app/manifests/${digestOf(IMAGE)}`,
      },
      request: { method: "PUT", addr: "127.0.0.1" },
      source: { instanceID: expect.any(String) },
    })
    expect(pulled?.request.useragent).toHaveLength(500)
    const credentials = `Basic ${Buffer.from("anna:secret").toString("base64")}`
    expect(hook.bodies[0]).toMatchObject({ type: ENVELOPE_TYPE, authorization: credentials })
  })

  test("that refuse, or answer elsewhere, get the same events again, in order", async () => {
    const statuses = [500, 302]
    const hook = await receiver(() => statuses.shift() ?? 200)
    await useAll(await open({ webhooks: [hook.url] }))
    await eventually(() => expect(hook.events()).toHaveLength(6))
    expect(hook.events().map(({ action }) => action)).toEqual(["push", "push", "pull", "pull", "mount", "delete"])
  })

  test("that never answer hold up no client, and have few events wait", async () => {
    const silent = createServer(() => {})
    silent.listen(0, "127.0.0.1")
    await once(silent, "listening")
    opened.push(
      { [Symbol.asyncDispose]: async () => void silent.close() },
      { [Symbol.asyncDispose]: async () => silent.closeAllConnections() },
    )
    const registry = await open({
      metrics: true,
      webhooks: [`http://127.0.0.1:${(silent.address() as AddressInfo).port}/`],
    })
    await useAll(registry)
    expect(registry.webhooks.map(({ waiting, delivered }) => [waiting, delivered])).toEqual([[6, 0]])
    const metrics = await (await ask(registry, "GET", "/metrics")).text()
    expect(metrics).toContain("skiff_registry_events_waiting 6\n")
  })
})

describe("metrics", () => {
  test("are not there unless asked for", async () => {
    expect((await ask(await open(), "GET", "/metrics")).status).toBe(404)
  })

  test("count requests, bytes and durations, each series once, whatever methods clients make up", async () => {
    const registry = await open({ metrics: true })
    await useAll(registry)
    for (const method of ["PROPFIND", "REPORT"]) await ask(registry, method, "/v2/app/manifests/1")
    const answer = await ask(registry, "GET", "/metrics")
    expect(answer.headers.get("Content-Type")).toStartWith("text/plain; version=0.0.4")
    const lines = (await answer.text()).trimEnd().split("\n")
    for (const line of lines) expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+)$/)
    const series = new Map(
      lines.filter((line) => !line.startsWith("#")).map((line) => line.split(" ") as [string, string]),
    )
    expect(series.size).toBe(lines.filter((line) => !line.startsWith("#")).length)
    const requests = (labels: string) => series.get(`skiff_registry_requests_total{${labels}}`)
    expect(requests('method="PUT",resource="manifest",code="201"')).toBe("1")
    expect(requests('method="GET",resource="manifest",code="404"')).toBe("1")
    expect(requests('method="other",resource="manifest",code="405"')).toBe("2")
    expect(series.get("skiff_registry_received_bytes_total")).toBe("2")
    expect(series.get("skiff_registry_requests_in_flight")).toBe("1")
  })

  test("are for who may list repositories", async () => {
    const access: Access = {
      allows: async () => false,
      async check(_, { action }) {
        if (action === "list") throw new RegistryError("DENIED", "no")
        return undefined
      },
    }
    expect((await ask(await open({ metrics: true, access }), "GET", "/metrics")).status).toBe(403)
  })
})
