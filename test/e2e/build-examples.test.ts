/** The examples of the course: built on Debian with apt, reached on their ports. The world outside is asked. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { cpSync, chownSync, mkdtempSync } from "node:fs"
import { join, resolve } from "node:path"
import { debianBase, noMirror } from "../support/shared-image.ts"
import { Skiff } from "../support/skiff.ts"
import { user } from "../support/user.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = new Skiff()
/** Packages are fetched, unpacked and installed: a minute where nobody else is at work. */
const WAIT_MS = 600_000
const unreachable = noMirror()

beforeAll(async () => {
  if (!unreachable) await debianBase(skiff)
}, WAIT_MS)
afterAll(() => skiff.close(), 60_000)

/** The examples lie where the test's user may not read. */
function copyOf(example: string): string {
  const directory = mkdtempSync(join(skiff.directory, "example-"))
  cpSync(resolve(import.meta.dir, "../../examples", example), directory, { recursive: true })
  chownSync(directory, user.uid, user.gid)
  return directory
}

describe.skipIf(unreachable !== false)(`built and reached${unreachable ? ` (skipped: ${unreachable})` : ""}`, () => {
  test.concurrent.each([
    ["nginx", 80, "Hello from nginx"],
    ["apache2", 80, "Hello from apache2"],
    ["python-app", 8000, "Hello from Python, request 1."],
  ])(
    "%s",
    async (example, port, text) => {
      const directory = copyOf(example)
      const { code, stderr } = await skiff.run(["build", "-t", example, directory], { timeoutMs: WAIT_MS })
      if (code !== 0) throw new Error(stderr)
      const container = await skiff.ok("run", "-d", "-p", `127.0.0.1::${port}`, example)
      const at = (await skiff.ok("port", container, `${port}`)).split("\n")[0]
      await eventually(async () => expect(await (await fetch(`http://${at}/`)).text()).toContain(text), 15_000)
      await skiff.ok("stop", container)
      const again = await skiff.run(["build", "--progress", "plain", "-t", example, directory])
      expect(again.stderr).not.toContain("DONE 1")
      expect(again.stderr.match(/CACHED/g)?.length).toBeGreaterThanOrEqual(2)
    },
    WAIT_MS,
  )

  test("shop: three services by compose, healthy in their order, with data that outlives them", async () => {
    const cwd = copyOf("shop")
    const port = await freePort()
    const compose = async (...words: string[]) => {
      const { code, stdout, stderr } = await skiff.run(["compose", ...words], {
        cwd,
        env: { SHOP_PORT: `${port}` },
        timeoutMs: 240_000,
      })
      if (code !== 0) throw new Error(`compose ${words.join(" ")}: ${stderr}`)
      return stdout + stderr
    }
    const sold = async (method: string) =>
      ((await (await fetch(`http://127.0.0.1:${port}/api/sold`, { method })).json()) as { sold: number }).sold
    await compose("up", "-d", "--wait")
    // it runs, and has no check that would say when it listens
    await eventually(async () =>
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain("<h1>Shop</h1>"),
    )
    expect(await sold("POST")).toBe(1)
    // on the inner network alone: the web server does not even know its name
    expect((await skiff.run(["compose", "exec", "-T", "web", "getent", "hosts", "db"], { cwd })).code).toBe(2)
    const again = await compose("up", "-d", "--explain")
    expect(again).not.toContain("Recreate")
    expect(
      await compose("--profile", "debug", "run", "-T", "--rm", "cli", "redis-cli", "-h", "db", "get", "sold"),
    ).toContain("1")
    await compose("down")
    await compose("up", "-d", "--wait")
    await eventually(async () => expect(await sold("GET")).toBe(1))
    await compose("down", "-v", "--remove-orphans")
  }, 600_000)
})
