/**
 * Compose files of strangers: refused by name, in bounded memory, and they run and read nothing of ours.
 *
 * One user is enough.
 */
import { describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../support/store.ts"

const skiff = openStore()
let count = 0

/** What `config` says of a file in a directory of its own. */
async function config(
  text: string | Uint8Array,
  files: Record<string, string> = {},
  env: Record<string, string> = {},
  flags: string[] = [],
) {
  const directory = join(skiff.directory, `compose-${count++}`)
  mkdirSync(directory, { mode: 0o755 })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
  writeFileSync(join(directory, "compose.yaml"), text)
  return skiff.run(["compose", "-p", "p", "config", ...flags], { cwd: directory, env })
}

describe("a file that grows is refused before it has grown", () => {
  const laughs = `a0: &a0 lol\n${Array.from({ length: 12 }, (_, level) => `a${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(", ")}]`).join("\n")}\n`

  test.each<[string, () => string | Uint8Array, string]>([
    ["billion laughs", () => laughs, "document contains excessive aliasing"],
    ["100 MB", () => Buffer.alloc(100 << 20, "# comment\n"), "has more than 16777216 bytes"],
    ["16 MB of empty lists", () => `x-a: [${"[],".repeat(5_000_000)}]`, "more than 250000 values"],
    ["100,000 brackets", () => "[".repeat(100_000), "nested more than 500 levels deep"],
    ["100,000 dashes", () => "- ".repeat(100_000), "nested more than 500 levels deep"],
    ["a cycle", () => "services:\n  a: &a {image: x, x-a: *a}\n", "cycle detected"],
    ["a cycle of includes", () => "include: [compose.yaml]\n", "include cycle detected"],
    ["a cycle of extends", () => "services: {a: {extends: a}}\n", "Circular reference"],
    [
      "50,000 variables in each other",
      () => `services: {a: {image: "${"${A:-".repeat(50_000)}x${"}".repeat(50_000)}"}}\n`,
      "nested more than 50 levels deep",
    ],
    [
      "a port range of all ports, for all ports",
      () => 'services: {a: {image: x, ports: ["1-65535:1-65534"]}}\n',
      "ports",
    ],
  ])("%s", async (_, text, words) => {
    const { code, stderr, stdout } = await config(text())
    expect([code, stdout]).toEqual([1, ""])
    expect(stderr).toContain(words)
    expect(stderr.length).toBeLessThan(5000)
  })

  test("values of values of an env file", async () => {
    const lines = Array.from({ length: 12 }, (_, level) => `A${level + 1}=${`\${A${level}}`.repeat(10)}\n`)
    const { code, stderr } = await config("services: {a: {image: x}}\n", { ".env": `A0=lolol\n${lines.join("")}` })
    expect(code).toBe(1)
    expect(stderr).toContain("has more than 8388608 characters")
  })

  test("files that include each other twice at each level", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, level) => [
        `i${level}.yaml`,
        `include: [i${level + 1}.yaml, {path: i${level + 1}.yaml}]\n`,
      ]),
    )
    const { code, stderr } = await config("include: [i0.yaml]\n", {
      ...files,
      "i20.yaml": "services: {a: {image: x}}\n",
    })
    expect(code).toBe(1)
    expect(stderr).toContain("more than 500 files are included or extended")
  })
})

describe("a repository's name is no option and no program", () => {
  const marked = join(skiff.directory, "marked")

  test.each([
    `https://h/r.git#--upload-pack=touch ${marked}`,
    `ssh://-oProxyCommand=touch ${marked}/r.git`,
    `git@-oProxyCommand=touch ${marked}:r.git`,
    "https://127.0.0.1:1/r.git#-x",
    "https://127.0.0.1:1/r.git#main:../../etc",
    "https://127.0.0.1:1/r.git#main:/etc/passwd",
  ])("%s", async (name) => {
    for (const text of [
      `include: [${JSON.stringify(name)}]\n`,
      `services: {a: {extends: {service: a, file: ${JSON.stringify(name)}}}}\n`,
    ]) {
      const { code } = await config(text)
      expect(code).toBe(1)
      expect(existsSync(marked)).toBe(false)
    }
  })

  test("nor is ext::", async () => {
    const { code, stderr } = await config(`include: ["ext::sh -c touch% ${marked}"]\n`)
    expect([code, existsSync(marked)]).toEqual([1, false])
    expect(stderr).toContain("no such file or directory")
  })
})

test("a variable's lines stay one value", async () => {
  const value = "one\n    privileged: true\nB=two"
  const text = "services: {a: {image: x, labels: {l: $V}, environment: [A=$V]}}\n"
  const { stdout } = await config(text, {}, { V: value }, ["--format", "json"])
  const { a } = (JSON.parse(stdout) as { services: Record<string, object> }).services
  expect(a).toMatchObject({ labels: { l: value }, environment: { A: value } })
  expect(a).not.toHaveProperty("privileged")
})

test("names that objects have are names like others", async () => {
  const { code, stdout } = await config(
    "services: {constructor: {image: x, environment: {toString: a, hasOwnProperty: $valueOf}}}\n",
  )
  expect(code).toBe(0)
  expect(stdout).toContain("toString: a")
  const { stderr } = await config("services: {__proto__: {image: x}}\n")
  expect(stderr).toContain('key "__proto__" is not allowed')
})

test("labels of an image make a container of it no project's", async () => {
  const directory = join(skiff.directory, "labelled")
  mkdirSync(directory, { mode: 0o755 })
  const labels = {
    project: "victim",
    service: "web",
    "config-hash": "0".repeat(64),
    "container-number": "1",
    oneoff: "False",
    "project.working_dir": directory,
  }
  const words = Object.entries(labels).map(([name, value]) => `com.docker.compose.${name}=${value}`)
  writeFileSync(join(directory, "Containerfile"), `FROM busybox\nLABEL ${words.join(" ")}\n`)
  writeFileSync(join(directory, "compose.yaml"), "services: {web: {image: busybox}, other: {image: busybox}}\n")
  await skiff.ok("build", "-q", "--network=none", "-t", "evil", directory)
  const id = (await skiff.ok("create", "--name", "stranger", "evil")).trim()
  const compose = (...args: string[]) => skiff.run(["compose", "-p", "victim", ...args], { cwd: directory })
  expect((await compose("ps", "-aq")).stdout).toBe("")
  expect(await skiff.ok("compose", "ls", "-aq")).toBe("")
  await compose("down", "--remove-orphans")
  await compose("rm", "-fs")
  expect(await skiff.ok("ps", "-aq", "--no-trunc")).toContain(id)
  await skiff.ok("rm", "stranger")
})

test("a volume that was made for another project is not removed with one that names it", async () => {
  const directory = join(skiff.directory, "claims")
  mkdirSync(directory, { mode: 0o755 })
  const text =
    "services: {a: {image: busybox, volumes: [d:/d, own:/own]}}\nvolumes: {d: {name: others-data}, own: {}}\n"
  writeFileSync(join(directory, "compose.yaml"), text)
  await skiff.ok("volume", "create", "--label", "com.docker.compose.project=other", "others-data")
  await skiff.ok("volume", "create", "--label", "com.docker.compose.project=claimer", "claimer_own")
  const { stderr } = await skiff.run(["compose", "-f", "compose.yaml", "-p", "claimer", "down", "-v"], {
    cwd: directory,
  })
  expect(stderr).toContain('was created for project "other"')
  const left = await skiff.ok("volume", "ls", "-q")
  expect(left).toContain("others-data")
  expect(left).not.toContain("claimer_own")
  await skiff.ok("volume", "rm", "others-data")
})
