/**
 * Writes docs/reference, and with `man DIR` the man pages; `--check` writes nothing and fails where docs/reference is not up
 * to date. usage: bun scripts/docs/main.ts [--check] | man DIR
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { VERSION } from "../../src/base/version.ts"
import { manAlias, manPage } from "./man.ts"
import { allPages, pageId, type Page } from "./page.ts"
import { referenceIndex, referencePage } from "./reference.ts"

type Files = ReadonlyMap<string, string>

const REFERENCE = join(import.meta.dir, "../../docs/reference")

export function referenceFiles(pages: readonly Page[]): Files {
  return new Map([
    ["README.md", referenceIndex(pages)],
    ...pages.map((page) => [`${pageId(page.name)}.md`, referencePage(page)] as const),
  ])
}

export function manFiles(pages: readonly Page[]): Files {
  return new Map(
    pages.flatMap((page) => [
      [`${pageId(page.name)}.1`, manPage(page, VERSION)] as const,
      ...page.aliases.map((alias) => [`${pageId(alias)}.1`, manAlias(page)] as const),
    ]),
  )
}

/** Names of files of docs/reference that are not what the table says, or should not be there. */
export function outdated(files: Files): string[] {
  const there = new Map(readdirSync(REFERENCE).map((name) => [name, readFileSync(join(REFERENCE, name), "utf8")]))
  return [...new Set([...files.keys(), ...there.keys()])].filter((name) => files.get(name) !== there.get(name))
}

function write(directory: string, files: Files): void {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const [name, text] of files) writeFileSync(join(directory, name), text)
}

async function main([word, directory]: readonly string[]): Promise<number> {
  const pages = await allPages()
  if (word === "man" && directory !== undefined) write(join(directory, "man1"), manFiles(pages))
  else if (word === "--check") {
    const names = outdated(referenceFiles(pages))
    if (names.length > 0) console.error(`docs/reference is not up to date (npm run docs): ${names.join(", ")}`)
    return names.length === 0 ? 0 : 1
  } else if (word === undefined) write(REFERENCE, referenceFiles(pages))
  else {
    console.error("usage: bun scripts/docs/main.ts [--check] | man DIR")
    return 2
  }
  return 0
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
