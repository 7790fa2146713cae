/**
 * The page of `registry serve` in a real browser: on a telephone and a desk, light and dark, with hostile images, for those who may see.
 *
 * One user is enough.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync, type ChildProcess } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Readable } from "node:stream"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { faintTexts, noBrowser, openBrowser, overflow, SCHEMES, SCREENS } from "../support/browser.ts"
import { openStore } from "../support/store.ts"

if (noBrowser !== false) console.log(`skipped: the registry's page (${noBrowser})`)

const skiff = openStore()
const OCI = "application/vnd.oci.image"
const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`

/** What a hostile image says of itself: markup, a script, marks that turn the direction of writing, and a very long word. */
const HOSTILE = [
  "<script>window.hit = 1</script>",
  `"><img src=x onerror="window.hit = 1">`,
  "'; window.hit = 1; '",
  "\u202Egnp.exe\u0007",
  "long".repeat(500),
]

async function serve(...args: string[]): Promise<{ url: string; server: ChildProcess }> {
  const server = skiff.spawn(["registry", "serve", "--listen", "127.0.0.1:0", ...args])
  const [line] = (await once(createInterface({ input: server.stdout ?? Readable.from([]) }), "line")) as string[]
  return { url: line ?? "", server }
}

async function end(server: ChildProcess | undefined): Promise<void> {
  if (server === undefined) return
  const ended = once(server, "exit")
  server.kill("SIGTERM")
  await ended
}

/** A rule of who may pull what. */
const rule = (users: string, repositories: string) =>
  `[[rule]]\nusers = ["${users}"]\nrepositories = ["${repositories}"]\nactions = ["pull", "list"]\n`

/** Pushes manifests that no honest tool would make. */
async function pushHostile(url: string, repository: string): Promise<void> {
  const put = async (text: string) => {
    const answer = await fetch(`${url}/v2/${repository}/blobs/uploads/?digest=${digestOf(text)}`, {
      method: "POST",
      body: text,
    })
    expect(answer.status).toBe(201)
    return { digest: digestOf(text), size: text.length }
  }
  const labels = Object.fromEntries(
    HOSTILE.flatMap((text, at) => [
      [text, "key"],
      [`value${at}`, text],
    ]),
  )
  const rootfs = { type: "layers", diff_ids: [digestOf("x")] }
  const config = await put(
    JSON.stringify({ os: HOSTILE[0], architecture: HOSTILE[1], config: { Labels: labels }, rootfs }),
  )
  const layer = await put("layer")
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: { mediaType: `${OCI}.config.v1+json`, ...config },
    layers: [{ mediaType: HOSTILE[1], ...layer }],
    annotations: labels,
  })
  const type = { "Content-Type": `${OCI}.manifest.v1+json` }
  const putManifest = async (tag: string, body: string) =>
    expect(
      (await fetch(`${url}/v2/${repository}/manifests/${tag}`, { method: "PUT", body, headers: type })).status,
    ).toBe(201)
  await putManifest(`${"t".repeat(100)}.1`, manifest)
  const subject = { mediaType: `${OCI}.manifest.v1+json`, digest: digestOf(manifest), size: manifest.length }
  const empty = { mediaType: "application/vnd.oci.empty.v1+json", ...(await put("{}")) }
  const referrer = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    artifactType: HOSTILE[1],
    config: empty,
    layers: [empty],
    subject,
  })
  await putManifest(digestOf(referrer), referrer)
}

describe.skipIf(noBrowser !== false)("the registry's page", () => {
  const directory = join(skiff.directory, "home", "page-registry")
  let browser: Browser
  let [url, server] = ["", undefined as ChildProcess | undefined]
  beforeAll(async () => {
    browser = await openBrowser()
    ;({ url, server } = await serve("--storage", directory))
    const host = url.replace("http://", "")
    for (const name of ["team/app:1", "team/app:latest", `deep/${"very-long-name/".repeat(8)}end:1`]) {
      await skiff.ok("tag", "busybox", `${host}/${name}`)
      await skiff.ok("push", "-q", `${host}/${name}`)
    }
    await pushHostile(url, "hostile/image")
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await end(server)
    rmSync(directory, { recursive: true, force: true })
  }, 60_000)

  /** A page that tells of each refused script, error, and request to elsewhere. */
  async function open(options: BrowserContextOptions = {}): Promise<Page & { complaints: string[] } & AsyncDisposable> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const complaints: string[] = []
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()))
    page.on("pageerror", (error) => complaints.push(String(error)))
    page.on(
      "request",
      (request) =>
        !request.url().startsWith(url) && !request.url().startsWith("data:") && complaints.push(request.url()),
    )
    return Object.assign(page, { complaints, [Symbol.asyncDispose]: () => context.close() })
  }
  const repository = (name: string) => `${url}/?repository=${encodeURIComponent(name)}`
  const shots = process.env.SKIFF_TEST_SHOTS

  for (const viewport of SCREENS)
    for (const colorScheme of SCHEMES)
      test(`fits ${viewport.width}×${viewport.height}, ${colorScheme}, and every text can be read`, async () => {
        await using page = await open({ viewport, colorScheme })
        for (const [name, address] of [
          ["list", url],
          ["app", repository("team/app")],
          ["hostile", repository("hostile/image")],
        ] as const) {
          await page.goto(address)
          for (const summary of await page.locator("summary").all()) await summary.click()
          expect({ name, wider: await overflow(page) }).toEqual({ name, wider: 0 })
          expect({ name, faint: await faintTexts(page) }).toEqual({ name, faint: [] })
          const shade = await page.evaluate("getComputedStyle(document.body).backgroundColor")
          expect(shade).toBe(colorScheme === "dark" ? "rgb(13, 17, 23)" : "rgb(255, 255, 255)")
          const picture = await page.screenshot({ fullPage: true })
          expect(picture.length).toBeGreaterThan(1000)
          if (shots !== undefined) writeFileSync(join(shots, `${name}-${viewport.width}-${colorScheme}.png`), picture)
        }
        expect(page.complaints).toEqual([])
      }, 60_000)

  test("leads from the repositories to tags with size, platform, layers and the command that pulls, which the button copies", async () => {
    await using page = await open({ permissions: ["clipboard-read", "clipboard-write"] })
    await page.goto(url)
    await page.getByRole("link", { name: "team/app" }).click()
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("team/app")
    const article = page.locator("article").filter({ has: page.getByRole("heading", { name: "latest" }) })
    expect(await article.textContent()).toMatch(/linux\/(?:amd64|arm64)/)
    expect(await article.textContent()).toMatch(/[\d.]+ ?MB/)
    await article.locator("summary").click()
    expect(await article.locator("table td.size").count()).toBe(1)
    await article.getByRole("button").first().click()
    await article.getByRole("button", { name: "Copied" }).waitFor()
    const command = String(await page.evaluate("navigator.clipboard.readText()"))
    expect(command).toBe(`skiff pull ${url.replace("http://", "")}/team/app:latest`)
    await skiff.ok("pull", "-q", command.replace("skiff pull ", ""))
    expect(page.complaints).toEqual([])
  }, 60_000)

  test("shows what a hostile image says as text: nothing of it runs, and nothing is asked of elsewhere", async () => {
    await using page = await open()
    await page.goto(repository("hostile/image"))
    for (const summary of await page.locator("summary").all()) await summary.click()
    const text = (await page.textContent("main")) ?? ""
    for (const part of ["<script>window.hit = 1</script>", `onerror="window.hit = 1"`, "\\u202egnp.exe"])
      expect(text).toContain(part)
    expect(await page.evaluate("window.hit")).toBeUndefined()
    expect(await page.locator("main img, main script").count()).toBe(0)
    expect(text).toContain("1 referrer")
    expect(page.complaints).toEqual([])
    const answer = await fetch(url, { headers: { Accept: "text/html" } })
    const policy = answer.headers.get("Content-Security-Policy") ?? ""
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain("unsafe")
  }, 60_000)

  test("says the same without scripts, and is nothing to clients of the API", async () => {
    await using page = await open({ javaScriptEnabled: false })
    await page.goto(repository("team/app"))
    expect(await page.getByText("skiff pull").first().isVisible()).toBe(true)
    expect((await fetch(url, { headers: { Accept: "*/*" } })).status).toBe(404)
    for (const [query, status] of [
      ["?repository=absent/x", 404],
      ["?repository=../etc", 400],
      ["?last=zzzz", 200],
    ] as const) {
      const answer = await fetch(`${url}/${query}`, { headers: { Accept: "text/html" } })
      expect({ query, status: answer.status, type: answer.headers.get("Content-Type") }).toEqual({
        query,
        status,
        type: "text/html; charset=utf-8",
      })
    }
  }, 60_000)

  test("asks for a name where there are users, and shows each one what the rules let him pull", async () => {
    const files = join(skiff.home, "users")
    mkdirSync(files)
    const hash = spawnSync("htpasswd", ["-nbB", "anna", "secret"]).stdout?.toString() || ""
    writeFileSync(
      join(files, "htpasswd"),
      hash === "" ? `anna:${await Bun.password.hash("secret", "bcrypt")}\n` : hash,
      { mode: 0o644 },
    )
    writeFileSync(join(files, "rules.toml"), rule("anna", "team/**"), { mode: 0o644 })
    const guarded = await serve(
      "--storage",
      directory,
      "--htpasswd",
      join(files, "htpasswd"),
      "--access",
      join(files, "rules.toml"),
    )
    try {
      const answer = await fetch(guarded.url, { headers: { Accept: "text/html" } })
      expect({ status: answer.status, asks: answer.headers.get("WWW-Authenticate") }).toEqual({
        status: 401,
        asks: expect.stringContaining("Basic"),
      })
      const context = await browser.newContext({ httpCredentials: { username: "anna", password: "secret" } })
      const page = await context.newPage()
      await page.goto(guarded.url)
      expect(await page.locator("ul.plain a").allTextContents()).toEqual(["team/app"])
      expect(await page.textContent("header")).toContain("anna")
      expect((await page.goto(`${guarded.url}/?repository=hostile/image`))?.status()).toBe(403)
      await context.close()
      const wrong = await browser.newContext({ httpCredentials: { username: "anna", password: "wrong" } })
      expect((await (await wrong.newPage()).goto(guarded.url))?.status()).toBe(401)
      await wrong.close()
    } finally {
      await end(guarded.server)
    }
  }, 60_000)
})
