/** What images, registries and archives call themselves is shown as text, and not sent to a terminal. One user is enough. */
import { describe, expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "../support/build.ts"
import { HostileRegistry } from "../support/hostile-registry.ts"
import { buildImage, busyboxEntries } from "../support/image.ts"
import { openStore } from "../support/store.ts"
import { tar } from "../support/tar.ts"

const skiff = openStore()
/** Colours, a window title, the clipboard (OSC 52), a C1 control, a mark that turns the direction of writing. */
const EVIL = "\u001b[31mred\u001b]0;title\u0007\u001b]52;c;ZXZpbA==\u0007\u009b2J\u202eback"
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/
const layers = [{ entries: busyboxEntries() }]

function expectHarmless(...texts: string[]): void {
  for (const text of texts) expect(text).not.toMatch(UNSAFE)
  expect(texts.join("")).toMatch(/\\x1b|\\u001b/)
}

describe("text of a registry's image", () => {
  test("in a warning", async () => {
    await using registry = await HostileRegistry.start()
    const name = registry.image(buildImage({ layers, architecture: EVIL }))
    const { code, stdout, stderr } = await skiff.run(["pull", name])
    expect(code).toBe(0)
    expect(stderr).toContain("another platform")
    expectHarmless(stdout, stderr)
  })

  test("in an error", async () => {
    await using registry = await HostileRegistry.start()
    const name = registry.image(buildImage({ layers, config: { User: EVIL } }))
    await skiff.ok("pull", "-q", name)
    const { code, stderr } = await skiff.run(["run", "--rm", "--network", "none", name, "true"])
    expect(code).toBeGreaterThan(0)
    expectHarmless(stderr)
  })

  test("in the answer that refuses", async () => {
    await using registry = await HostileRegistry.start()
    registry.answer("/v2/hostile/image/manifests/1", (_, response) => {
      response.writeHead(404, { "content-type": "application/json" })
      response.end(JSON.stringify({ errors: [{ code: "X", message: EVIL.repeat(1000) }] }))
    })
    const { stderr } = await skiff.run(["pull", `${registry.host}/hostile/image:1`])
    expect(stderr).not.toMatch(UNSAFE)
    expect(stderr.length).toBeLessThan(1000)
  })

  test("in the progress of a build that it gives a step to, also into a pipe", async () => {
    await using registry = await HostileRegistry.start()
    const name = registry.image(buildImage({ layers, config: { OnBuild: [`RUN true # ${EVIL}`] } }))
    const { code, stdout, stderr } = await build(skiff, { Dockerfile: `FROM ${name}` })
    expect(code).toBe(0)
    expectHarmless(stdout, stderr)
  })
})

test("a name in an error is cut at 200 characters", async () => {
  const path = join(skiff.directory, "long.tar")
  const long = "n".repeat(5000)
  const manifest = [{ Config: `${EVIL}${long}.json`, RepoTags: [], Layers: [] }]
  writeFileSync(path, tar([{ name: "manifest.json", content: JSON.stringify(manifest) }]))
  const { code, stderr } = await skiff.run(["load", "-i", path])
  expect(code).toBe(1)
  expectHarmless(stderr)
  expect(stderr).toMatch(/n…"/)
  expect(stderr.length).toBeLessThan(600)
})

describe("logs", () => {
  const program = ["busybox", "printf", `${EVIL}\\tnext\\n%s\\r\\n`, "plain"]

  test("are what the program wrote; --no-escape shows what is in it", async () => {
    const id = await skiff.ok("run", "-d", "--network", "none", ...program)
    await skiff.ok("wait", id)
    const { stdout: raw } = await skiff.run(["logs", id])
    expect(raw).toBe(`${EVIL}\tnext\nplain\r\n`)
    const { stdout: shown } = await skiff.run(["logs", "--no-escape", id])
    expectHarmless(shown.replaceAll("\r", ""))
    expect(shown).toEndWith("\\u202eback\tnext\nplain\r\n")
    await skiff.ok("rm", id)
  })
})
