import type { Command } from "./command.ts"
import { flagName, type Flags } from "./flag.ts"
import { GLOBAL_FLAGS } from "./globals.ts"
import { hanging, wrap } from "./output/wrap.ts"
import { COMMON, GROUP_FLAGS, GROUPS, TABLE, type Entry } from "./table.ts"

/** Columns of help, as docker wraps it. */
const WIDTH = 80
/** Of the column of command names, as docker has it. */
const NAME_WIDTH = 11

/** Help of one command in docker's layout. `name` is the one that was typed. */
export function commandHelp(name: string, entry: Entry, command: Command): string {
  return [
    `Usage:  ${usageLine(name, command)}`,
    [command.summary, command.description].filter(Boolean).join("\n\n"),
    entry.names.length > 1 ? `Aliases:\n  ${entry.names.map((alias) => `skiff ${alias}`).join(", ")}` : "",
    (command.examples ?? []).length > 0 ? `Examples:\n${indent(command.examples ?? [])}` : "",
    optionLines(command.flags).length > 0 ? `Options:\n${optionLines(command.flags).join("\n")}` : "",
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n")
}

/** `skiff run [OPTIONS] IMAGE [COMMAND] [ARG...]`. */
export function usageLine(name: string, { flags, args }: Command): string {
  const shown = Object.values(flags).some(({ hidden }) => !hidden)
  return [`skiff ${name}`, ...(shown ? ["[OPTIONS]"] : []), ...args.map(({ usage }) => usage)].join(" ")
}

/** Help of a management group. */
export async function groupHelp(group: string): Promise<string> {
  const entries = TABLE.filter(({ names }) => names[0].startsWith(`${group} `))
  const lines = await summaries(entries.map((entry) => [entry.names[0].slice(group.length + 1), entry]))
  const options = optionLines((await GROUP_FLAGS[group]?.()) ?? {})
  const shown = options.length === 0 ? "" : `\nOptions:\n${options.join("\n")}\n`
  return `Usage:  skiff ${group}${options.length === 0 ? "" : " [OPTIONS]"} COMMAND

${GROUPS[group]}
${shown}
Commands:
${lines.join("\n")}

Run 'skiff ${group} COMMAND --help' for more information on a command.
`
}

/** `skiff --help`. */
export async function overview(): Promise<string> {
  const top = TABLE.filter(({ hidden }) => !hidden).flatMap((entry): [string, Entry][] => {
    const name = entry.names.find((one) => !one.includes(" "))
    return name === undefined ? [] : [[name, entry]]
  })
  const common = COMMON.flatMap((name) => top.filter(([one]) => one === name))
  const others = top.filter(([name]) => !COMMON.includes(name)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const groups = Object.entries(GROUPS).map(([group, text]) => `  ${group.padEnd(NAME_WIDTH)} ${text}`)
  return `Usage:  skiff [OPTIONS] COMMAND

A daemonless, rootless, OCI-standard container engine

Common Commands:
${(await summaries(common)).join("\n")}

Management Commands:
${groups.join("\n")}

Commands:
${(await summaries(others)).join("\n")}

Global Options:
${optionLines(GLOBAL_FLAGS).join("\n")}

Run 'skiff COMMAND --help' for more information on a command, and 'skiff doctor'
to see whether this host is ready. With man pages installed: 'man skiff-run'.
`
}

async function summaries(entries: readonly [string, Entry][]): Promise<string[]> {
  const loaded = await Promise.all(entries.map(async ([name, entry]) => [name, (await entry.load()).default] as const))
  const width = Math.max(NAME_WIDTH, ...entries.map(([name]) => name.length + 1))
  return loaded.flatMap(([name, { summary }]) => hanging(`  ${name.padEnd(width)} `, summary, WIDTH))
}

/** `  -e, --env list   Set environment variables`, wrapped, sorted by name. */
export function optionLines(flags: Flags): string[] {
  const rows = Object.entries(flags)
    .filter(([, { hidden }]) => !hidden)
    .map(([property, { short, typeName, help, initial }]) => {
      const left = `  ${short === undefined ? "   " : `-${short},`} --${flagName(property)} ${typeName}`.trimEnd()
      return { left, text: `${help}${shownDefault(initial)}` }
    })
    .toSorted((a, b) => (a.left.slice(6) < b.left.slice(6) ? -1 : 1))
  const column = Math.max(0, ...rows.map(({ left }) => left.length)) + 3
  return rows.flatMap(({ left, text }) => {
    const lines = wrap(text, Math.max(24, WIDTH - column))
    return lines.map((line, index) => (index === 0 ? left : "").padEnd(column) + line)
  })
}

function shownDefault(initial: unknown): string {
  if (typeof initial === "string" && initial !== "") return ` (default "${initial}")`
  return initial === true || (typeof initial === "number" && initial !== 0) ? ` (default ${initial})` : ""
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n")
}
