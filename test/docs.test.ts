/** The documents: generated ones are up to date, and what the others show is so. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join, normalize } from "node:path"
import { flagName } from "../src/cli/flag.ts"
import { findEntry, GROUPS, TABLE } from "../src/cli/table.ts"
import { checkCall, consoleCommands, skiffCalls } from "../scripts/docs/examples.ts"
import { manFiles, outdated, referenceFiles } from "../scripts/docs/main.ts"
import { parseMarkdown, sectionsOf } from "../scripts/docs/markdown.ts"
import { allPages } from "../scripts/docs/page.ts"

const root = normalize(join(import.meta.dir, ".."))
const documents = [
  ...readdirSync(root).map((name) => name),
  ...["docs", "examples", "src/cli"].flatMap((directory) =>
    readdirSync(join(root, directory), { recursive: true, encoding: "utf8" }).map((name) => join(directory, name)),
  ),
].filter((name) => name.endsWith(".md"))
const textOf = (name: string) => readFileSync(join(root, name), "utf8")
const pages = await allPages()

test("docs/reference is what `npm run docs` writes", () => {
  expect(outdated(referenceFiles(pages))).toEqual([])
})

test("every command has a description and examples beside it", () => {
  const bare = pages.filter(({ commands, sections }) => commands.length === 0 && !sections.has("Examples"))
  expect(bare.map(({ name }) => name)).toEqual([])
})

describe("commands that are shown", () => {
  const home = mkdtempSync(join(tmpdir(), "skiff-docs-"))
  const agent = createServer()
  const agentBefore = process.env.SSH_AUTH_SOCK

  beforeAll(async () => {
    // what flags look for when they are read
    writeFileSync(join(home, "key"), "")
    process.env.SSH_AUTH_SOCK = join(home, "agent")
    await new Promise<void>((done) => agent.listen(process.env.SSH_AUTH_SOCK, done))
  })
  afterAll(() => {
    agent.close()
    if (agentBefore === undefined) delete process.env.SSH_AUTH_SOCK
    else process.env.SSH_AUTH_SOCK = agentBefore
    rmSync(home, { recursive: true })
  })
  const check = (call: readonly string[]) => checkCall(call, { HOME: home, PWD: home })

  test("by the documents can be typed", async () => {
    const problems: string[] = []
    for (const name of documents)
      for (const line of consoleCommands(textOf(name)))
        for (const call of skiffCalls(line))
          await check(call).catch((error: Error) => problems.push(`${name}: ${line}: ${error.message}`))
    expect(problems).toEqual([])
  })

  test("by --help can be typed", async () => {
    for (const { load } of TABLE)
      for (const line of (await load()).default.examples ?? []) for (const call of skiffCalls(line)) await check(call)
  })
})

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): string[] {
  const headings = [...markdown.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.*)$/gm)]
  return headings.map(([, text = ""]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  )
}

// the texts beside the commands are read as pages of docs/reference
test("the links of the documents lead somewhere", () => {
  const broken = documents
    .filter((name) => !name.startsWith("src/"))
    .flatMap((name) => brokenLinks(name).map((link) => `${name}: ${link}`))
  expect(broken).toEqual([])
})

function brokenLinks(name: string): string[] {
  const text = textOf(name).replaceAll(/^```[\s\S]*?^```/gm, "")
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link)
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false
    const [path = "", anchor] = link.split("#")
    const target = path === "" ? name : join(dirname(name), path)
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)
  })
}

describe("man pages", () => {
  const files = manFiles(pages)

  test("there is one for each name of each command", () => {
    for (const { names, hidden } of TABLE)
      if (!hidden) for (const name of names) expect([...files.keys()]).toContain(`skiff-${name.replaceAll(" ", "-")}.1`)
  })

  test.skipIf(!programExists("mandoc"))("mandoc has nothing to say against them", () => {
    const directory = mkdtempSync(join(tmpdir(), "skiff-man-"))
    try {
      mkdirSync(join(directory, "man1"))
      for (const [name, text] of files) writeFileSync(join(directory, "man1", name), text)
      const aliases = (name: string) => files.get(name)?.startsWith(".so ") === true
      const own = [...files.keys()].filter((name) => !aliases(name)).map((name) => `man1/${name}`)
      // a page has no date of its own, so that the same sources give the same bytes
      const { stdout } = spawnSync("mandoc", ["-T", "lint", "-W", "warning", ...own], {
        cwd: directory,
        encoding: "utf8",
      })
      expect(stdout.split("\n").filter((line) => line !== "" && !line.includes("missing date"))).toEqual([])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

function programExists(name: string): boolean {
  const found = spawnSync("sh", ["-c", `command -v ${name}`]).status === 0
  if (!found) console.log(`skipped: no ${name} on this host`)
  return found
}

test.each([
  ["c=$(skiff builder from x)", [["builder", "from", "x"]]],
  ["skiff a | skiff b 'c | d' # skiff e", [["a"], ["b", "c | d"]]],
  [
    "x=1 sudo -E skiff rm $(skiff ps -aq) && true",
    [
      ["ps", "-aq"],
      ["rm", "SUBSTITUTION"],
    ],
  ],
  ['sh -c "$(skiff a b)"', [["a", "b"]]],
  ["skiff load < app.tar 2>/dev/null; skiff ps", [["load"], ["ps"]]],
  ['skiff run -v "$PWD:/src" x', [["run", "-v", "$PWD:/src", "x"]]],
])("the calls of %p are found", (line, calls) => {
  for (const call of calls) expect(skiffCalls(line)).toContainEqual(call)
})

/** The first cells of the table below `## Not yet`. */
function missingOf(name: string): string[] {
  const table = parseMarkdown(sectionsOf(textOf(name)).get("Not yet") ?? "").find(({ kind }) => kind === "table")
  const cells = table?.kind === "table" ? table.rows.map(([first = ""]) => first) : []
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code))
}

/** Whether there is such a command, or such a flag of one. */
async function has(words: readonly string[]): Promise<boolean> {
  const found = findEntry(words)
  if (!found) return words.join(" ") in GROUPS
  const [flag] = words.slice(found.length)
  if (flag === undefined) return true
  const shown = Object.entries((await found.entry.load()).default.flags).filter(
    ([, { hidden, help }]) => !hidden && !help.startsWith("Refused:"),
  )
  return shown.some(([property]) => `--${flagName(property)}` === flag)
}

describe("what is said to be missing", () => {
  test.each(["docker", "podman", "buildah"])("of %s's, is missing", async (tool) => {
    const missing = missingOf(`docs/from-${tool}.md`)
    expect(missing.length).toBeGreaterThan(2)
    for (const code of missing) {
      const words = code.split(" ").filter((word) => word !== tool)
      expect([code, await has(words)]).toEqual([code, false])
      if (tool === "buildah" && words[0] !== "builder")
        expect([code, await has(["builder", ...words])]).toEqual([code, false])
    }
  })

  test("in the comparison, is missing", async () => {
    const [line = ""] = (sectionsOf(textOf("docs/comparison.md")).get("Not yet") ?? "").split("\n\n")
    for (const [, code = ""] of line.matchAll(/`([^`]+)`/g))
      expect([code, await has(code.split(" "))]).toEqual([code, false])
  })
})

test("the pages that comments cite are in this repository", () => {
  const sources = ["src", "test", "scripts", "bench"].flatMap((directory) =>
    readdirSync(join(root, directory), { recursive: true, encoding: "utf8" }).map((name) => join(directory, name)),
  )
  const broken = sources
    .filter((name) => /\.(ts|sh)$/.test(name))
    .flatMap((name) => {
      const comments = textOf(name).match(/(?:^|\s)(?:\/\/|\/?\*|#).*$/gm) ?? []
      const cited = comments
        .join("\n")
        .match(/(?<![\w./-])(?:docs\/design\/[\w-]+|docs\/\w+|[A-Z]{6,}|security|design|style)\.md\b/g)
      return (cited ?? []).filter((page) => !existsSync(join(root, page))).map((page) => `${name}: ${page}`)
    })
  expect(broken).toEqual([])
})

test("each design note has a number of its own, and a line in the index", () => {
  const directory = join(root, "docs/design")
  const notes = readdirSync(directory).filter((name) => name !== "README.md")
  const titles = notes.map((name) => {
    const [number = 0, title = ""] = [
      Number(name.slice(0, 3)),
      /^# (.*)$/m.exec(textOf(join("docs/design", name)))?.[1],
    ]
    expect(title).toStartWith(`${number}. `)
    return `- [${title}](${name})`
  })
  expect(new Set(notes.map((name) => name.slice(0, 3))).size).toBe(notes.length)
  const lines = textOf("docs/design/README.md")
    .split("\n")
    .filter((line) => line.startsWith("- "))
  expect(lines.toSorted()).toEqual(titles.toSorted())
})
