/** The page of one command: from its entry in the table, and from the text that stands beside it. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Command } from "../../src/cli/command.ts"
import { flagName } from "../../src/cli/flag.ts"
import { GLOBAL_FLAGS } from "../../src/cli/globals.ts"
import { usageLine } from "../../src/cli/help.ts"
import { findEntry, GROUPS, TABLE, type Entry } from "../../src/cli/table.ts"
import { sectionsOf } from "./markdown.ts"

export interface PageFlag {
  /** `-e, --env list`. */
  title: string
  text: string
}

export interface Page {
  /** The name that is typed: `run`, `image bootstrap`; empty for skiff itself. */
  name: string
  summary: string
  synopsis: readonly string[]
  /** Its other names. */
  aliases: readonly string[]
  /** Markdown by section, in order: Description, Examples, and what else the text has. */
  sections: ReadonlyMap<string, string>
  options: readonly PageFlag[]
  /** Verbs with their summaries: of a group, or all. */
  commands: readonly (PageLink & { summary: string })[]
  seeAlso: readonly PageLink[]
}

export interface PageLink {
  name: string
  /** Of the page that tells about it: an alias has none of its own. */
  id: string
}

const CLI = join(import.meta.dir, "../../src/cli")
/** They stand behind the options, in this order; all other sections before them. */
export const LAST_SECTIONS: readonly string[] = ["Exit status", "Files", "Environment"]

/** A page's file or man page: `skiff-image-bootstrap`. */
export function pageId(name: string): string {
  return name === "" ? "skiff" : `skiff-${name.replaceAll(" ", "-")}`
}

/** The name that people type: the one-word one where there is one. */
export function shortName({ names }: Entry): string {
  return names.find((name) => !name.includes(" ")) ?? names[0]
}

function linkTo(name: string): PageLink {
  const found = findEntry(name.split(" "))
  if (name !== "" && !found && !(name in GROUPS)) throw new Error(`no command ${name} to see also`)
  return { name, id: pageId(found ? shortName(found.entry) : name) }
}

/** All pages: skiff's own, one for each group, one for each command. */
export async function allPages(): Promise<Page[]> {
  const shown = TABLE.filter(({ hidden }) => !hidden)
  const commands = await Promise.all(shown.map(async (entry) => commandPage(entry, (await entry.load()).default)))
  const groups = Object.entries(GROUPS).map(([group, summary]) => groupPage(group, summary, commands))
  return [overviewPage(commands), ...groups, ...commands].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function commandPage(entry: Entry, command: Command): Page {
  const name = shortName(entry)
  const text = readText(`commands/${sourceOf(entry)}.md`)
  const { "": description = "", "See also": more, ...others } = Object.fromEntries(sectionsOf(text))
  return {
    name,
    summary: command.summary,
    synopsis: [usageLine(name, command)],
    aliases: entry.names.filter((one) => one !== name),
    sections: ordered({
      Description: [command.description ?? "", description].filter(Boolean).join("\n\n"),
      ...others,
      "Exit status": others["Exit status"] ?? exitStatus(command),
    }),
    options: optionsOf(command.flags),
    commands: [],
    seeAlso: seeAlso(entry, more),
  }
}

function groupPage(group: string, summary: string, commands: readonly Page[]): Page {
  const verbs = commands.flatMap(({ name, aliases, summary: text }) => {
    const own = [name, ...aliases].find((one) => one.startsWith(`${group} `))
    return own === undefined ? [] : [{ ...linkTo(own), summary: text }]
  })
  return {
    name: group,
    summary,
    synopsis: [`skiff ${group} COMMAND`],
    aliases: [],
    sections: new Map(),
    options: [],
    commands: verbs.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    seeAlso: [linkTo("")],
  }
}

function overviewPage(commands: readonly Page[]): Page {
  const { "": description = "", ...others } = Object.fromEntries(sectionsOf(readText("skiff.md")))
  return {
    name: "",
    summary: "A daemonless, rootless, OCI-standard container engine",
    synopsis: ["skiff [OPTIONS] COMMAND"],
    aliases: [],
    sections: ordered({ Description: description, ...others }),
    options: optionsOf(GLOBAL_FLAGS),
    commands: commands
      .map(({ name, summary }) => ({ ...linkTo(name), summary }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    seeAlso: ["run", "build", "doctor"].map(linkTo),
  }
}

/** Where a command's file is, by the import in the table: `container/run`. */
function sourceOf(entry: Entry): string {
  const path = /commands\/([\w/-]+)\.ts/.exec(entry.load.toString())?.[1]
  if (path === undefined) throw new Error(`no file of ${entry.names[0]} in ${entry.load.toString()}`)
  return path
}

function readText(name: string): string {
  const path = join(CLI, name)
  return existsSync(path) ? readFileSync(path, "utf8") : ""
}

function ordered(sections: Record<string, string>): Map<string, string> {
  const known = Object.entries(sections).filter(([, body]) => body !== "")
  return new Map(known.toSorted(([a], [b]) => LAST_SECTIONS.indexOf(a) - LAST_SECTIONS.indexOf(b)))
}

function exitStatus({ failureCode }: Command): string {
  return `0 on success, ${failureCode ?? 1} on failure${failureCode === 125 ? "" : ", 125 for a wrong flag"}.`
}

function optionsOf(flags: Command["flags"]): PageFlag[] {
  return Object.entries(flags)
    .filter(([, { hidden }]) => !hidden)
    .map(([property, { short, typeName, help, initial, aliases }]) => {
      const long = `--${flagName(property)}`
      const names = [...(short === undefined ? [] : [`-${short}`]), long].join(", ")
      const preset = initial === false || initial === undefined || Array.isArray(initial) ? "" : ` Default: ${initial}.`
      const also = aliases === undefined ? "" : ` Also: ${aliases.map((alias) => `--${alias}`).join(", ")}.`
      return { long, title: `${names} ${typeName}`.trim(), text: `${inOneLine(help)}.${preset}${also}` }
    })
    .toSorted((a, b) => (a.long < b.long ? -1 : 1))
    .map(({ title, text }) => ({ title, text }))
}

/** Lines that begin with a quoted word are alternatives. */
function inOneLine(help: string): string {
  const [first = "", ...alternatives] = help.split(/\n(?=')/).map((line) => line.replaceAll(/\s+/g, " "))
  return [first, alternatives.join("; ")].filter(Boolean).join(" ")
}

function seeAlso(entry: Entry, more = ""): PageLink[] {
  const named = more.split(/,\s*/).filter(Boolean)
  return [...new Set([...named, ...groupsOf(entry), ""])].map(linkTo)
}

function groupsOf({ names }: Entry): string[] {
  return names.flatMap((name) => name.split(" ")[0] ?? []).filter((group) => group in GROUPS)
}
