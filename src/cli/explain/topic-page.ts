import { NotFound } from "../../base/errors.ts"
import { fill, type Language, type Values } from "../../base/messages.ts"
import { nearest } from "../../base/nearest.ts"
import type { HostFacts } from "../../explain/explain.ts"
import { displayWidth } from "../output/columns.ts"
import type { Block } from "./block.ts"
import type { facts as factWords } from "./en/facts.ts"
import type { Paper } from "./paper.ts"
import type { Topic } from "./topics.ts"

const PAGES = {
  en: async () => (await import("./en/pages.ts")).pages,
  fr: async () => (await import("./fr/pages.ts")).pages,
}
const FACTS = {
  en: async () => (await import("./en/facts.ts")).facts,
  fr: async () => (await import("./fr/facts.ts")).facts,
}
const GLOSSARIES = {
  en: async () => (await import("./en/glossary.ts")).glossary,
  fr: async () => (await import("./fr/glossary.ts")).glossary,
}

type FactKey = keyof typeof factWords
type Say = (key: FactKey, values?: Values) => string

/** What a page is filled with. */
export interface PageInput {
  host: HostFacts
  language: Language
  /** Of the glossary. */
  term?: string | undefined
}

/** Puts a page that teaches on paper. Throws NotFound for a word that the glossary does not have. */
export async function topicPage(
  paper: Paper,
  topic: Topic | "contents",
  { host, language, term }: PageInput,
): Promise<void> {
  if (topic === "glossary") return glossaryPage(paper, await glossaryOf(language, term), language)
  const [pages, words] = await Promise.all([PAGES[language](), FACTS[language]()])
  const say: Say = (key, values) => fill(words[key], values)
  const values = valuesOf(host, say)
  for (const block of pages[topic] as readonly Block[]) show(paper, block, { values, host, say })
}

function valuesOf({ kernel, user, cgroup }: HostFacts, say: Say): Values {
  const { version, manager, usable } = cgroup
  return { kernel, user, version, manager, usable: usable.join(", ") || say("none") }
}

function show(paper: Paper, block: Block, given: { values: Values; host: HostFacts; say: Say }): void {
  const { values, host, say } = given
  if ("title" in block) paper.title(fill(block.title, values))
  else if ("heading" in block) paper.heading(fill(block.heading, values))
  else if ("prose" in block) paper.prose(fill(block.prose, values))
  else if ("command" in block) paper.command(block.command)
  else if ("picture" in block) picture(paper, block.picture)
  else if ("entries" in block)
    entries(
      paper,
      block.entries.map(([term, text]) => [term, fill(text, values)]),
    )
  else FILLED[block.facts](paper, host, say)
}

const FILLED: Record<Extract<Block, { facts: string }>["facts"], (paper: Paper, host: HostFacts, say: Say) => void> = {
  namespaces: (paper, { namespaces }, say) =>
    entries(
      paper,
      namespaces.map(({ kind, since, year, isThere, inode, count, limit }) => [
        kind,
        isThere
          ? say("namespace.there", { since, year, inode: inode ?? "", count, limit: limit ?? say("all") })
          : say("namespace.missing", { since, year }),
      ]),
    ),
  hierarchies: (paper, { cgroup }, say) =>
    entries(
      paper,
      cgroup.hierarchies.map(({ path, version, controllers }) => [
        path,
        say(version === 1 ? "hierarchy1" : "hierarchy2", {
          controllers: controllers.join(", ") || say("noControllers"),
        }),
      ]),
    ),
  ids: (paper, { user, uidRanges, gidRanges, uidMap, rootlessUid }, say) => {
    if (user === "root") return paper.prose(say("ids.root"))
    if (uidRanges.length === 0) return paper.prose(say("ids.none", { user }))
    const ranges = [
      ["/etc/subuid", uidRanges],
      ["/etc/subgid", gidRanges],
    ] as const
    entries(paper, [
      ...ranges.flatMap(([file, all]) =>
        all.map(({ first, count }) => [`${file} ${user}`, say("ids.range", { first, count })] as const),
      ),
      ...(rootlessUid === undefined
        ? []
        : uidMap.map(({ inside, outside, count }) => ["uid_map", say("ids.map", { inside, outside, count })] as const)),
    ])
  },
}

function picture(paper: Paper, lines: readonly string[]): void {
  paper.blank()
  for (const line of lines) paper.raw(line)
  paper.blank()
}

function entries(paper: Paper, all: readonly (readonly [term: string, text: string])[]): void {
  const width = Math.min(24, Math.max(0, ...all.map(([term]) => displayWidth(term))))
  for (const [term, text] of all) paper.entry(term, text, width)
  paper.blank()
}

/** An entry of the glossary, as it is shown. */
export interface GlossaryEntry {
  key: string
  term: string
  text: string
  /** Other entries that it speaks of. */
  seeAlso: readonly string[]
}

/** The whole glossary, or the entry of `word`, in either language's words. Throws NotFound. */
export async function glossaryOf(language: Language, word?: string): Promise<GlossaryEntry[]> {
  const glossary: Readonly<Record<string, { term: string; text: string }>> = await GLOSSARIES[language]()
  const all = Object.entries(glossary).map(([key, { term, text }]) => entryOf(key, term, text, glossary))
  if (word === undefined) return all.toSorted((a, b) => a.term.localeCompare(b.term, language))
  const names = await namesOf()
  const wanted = plain(word)
  const key = names.get(wanted)
  const found = all.filter((entry) => entry.key === key)
  if (found.length > 0) return found
  const near = nearest(wanted, names.keys())
  throw new NotFound(`no such word in the glossary: "${word}"`, {
    hint: near === undefined ? undefined : { nearest: near },
  })
}

function entryOf(
  key: string,
  term: string,
  text: string,
  all: Readonly<Record<string, { term: string }>>,
): GlossaryEntry {
  const seen = [...text.matchAll(/\[([^\]]+)\]/g)].map(([, other = ""]) => other)
  const shown = text.replaceAll(
    /\[([^\]]+)\](s?)/g,
    (_, other: string, s: string) => `${all[other]?.term ?? other}${s}`,
  )
  return { key, term, text: shown, seeAlso: [...new Set(seen)].map((other) => all[other]?.term ?? other) }
}

/** By each name that an entry is called in a language of ours. */
async function namesOf(): Promise<Map<string, string>> {
  const glossaries = await Promise.all([GLOSSARIES.en(), GLOSSARIES.fr()])
  return new Map(
    glossaries.flatMap((glossary) =>
      Object.entries(glossary).flatMap(([key, { term }]) => [[plain(key), key] as const, [plain(term), key] as const]),
    ),
  )
}

/** Without case, accents and blanks: `Espace de noms` is `espacedenoms`. */
function plain(word: string): string {
  return word
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, "")
}

const GLOSSARY_TITLES: Record<Language, { title: string; see: string }> = {
  en: { title: "Glossary", see: "see also" },
  fr: { title: "Glossaire", see: "voir aussi" },
}

function glossaryPage(paper: Paper, found: readonly GlossaryEntry[], language: Language): void {
  const { title, see } = GLOSSARY_TITLES[language]
  const [only] = found
  if (found.length === 1 && only !== undefined) {
    paper.title(only.term)
    paper.prose(only.text)
    if (only.seeAlso.length > 0) paper.prose(`(${see}: ${only.seeAlso.join(", ")})`)
    return
  }
  paper.title(title)
  entries(
    paper,
    found.map(({ term, text }) => [term, text]),
  )
}
