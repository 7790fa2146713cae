/** Help in podman's layout: scripts read the usage line, the list of commands, the options. */
import type { Command } from "../command.ts"
import { flagName, type Flags } from "../flag.ts"
import { GLOBAL_FLAGS } from "../globals.ts"
import { GROUPS, TABLE, type Entry } from "../table.ts"
import type { HelpPages } from "./help-pages.ts"

const NAME_WIDTH = 11

/** `tool`: podman or buildah. */
export function podmanHelp(tool: string): HelpPages {
  return {
    command: (name, entry, command) => commandPage(tool, name, entry, command),

    async group(group) {
      const entries = TABLE.filter(({ names, hidden }) => !hidden && names[0].startsWith(`${group} `))
      const lines = await summaries(entries.map((entry) => [entry.names[0].slice(group.length + 1), entry]))
      return `${GROUPS[group]}\n\nDescription:\n  ${GROUPS[group]}\n\nUsage:\n  ${tool} ${group} [command]\n\nAvailable Commands:\n${lines.join("\n")}\n`
    },

    async overview() {
      const top = TABLE.filter(({ hidden }) => !hidden).flatMap((entry): [string, Entry][] => {
        const name = entry.names.find((one) => !one.includes(" "))
        return name === undefined ? [] : [[name, entry]]
      })
      const groups = Object.entries(GROUPS).map(([group, text]) => `  ${group.padEnd(NAME_WIDTH)} ${text}`)
      const commands = [...(await summaries(top)), ...groups].toSorted()
      return `Manage pods, containers and images\n\nUsage:\n  ${tool} [options] [command]\n\nAvailable Commands:\n${commands.join("\n")}\n\nOptions:\n${optionLines(GLOBAL_FLAGS).join("\n")}\n`
    },
  }
}

function commandPage(tool: string, name: string, entry: Entry, command: Command): string {
  const { summary, description, examples = [], flags, args } = command
  const options = optionLines(flags)
  const usage = [`${tool} ${name}`, ...(options.length > 0 ? ["[options]"] : []), ...args.map((one) => one.usage)]
  const asTool = (line: string) => line.replace(/^(.*?)\bskiff /, `$1${tool} `)
  return [
    summary,
    `Description:\n  ${[summary, description].filter(Boolean).join("\n\n  ")}`,
    `Usage:\n  ${usage.join(" ")}`,
    entry.names.length > 1 ? `Aliases:\n  ${entry.names.map((alias) => `${tool} ${alias}`).join(", ")}` : "",
    examples.length > 0 ? `Examples:\n${examples.map((line) => `  ${asTool(line)}`).join("\n")}` : "",
    options.length > 0 ? `Options:\n${options.join("\n")}` : "",
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n\n")
}

async function summaries(entries: readonly [string, Entry][]): Promise<string[]> {
  const loaded = await Promise.all(entries.map(async ([name, entry]) => [name, (await entry.load()).default] as const))
  return loaded.map(([name, { summary }]) => `  ${name.padEnd(NAME_WIDTH)} ${summary}`)
}

/** `  -a, --all   text`, one line each: podman wraps none. */
function optionLines(flags: Flags): string[] {
  const rows = Object.entries(flags)
    .filter(([, { hidden }]) => !hidden)
    .map(([property, { short, typeName, help }]) => ({
      left: `  ${short === undefined ? "   " : `-${short},`} --${flagName(property)} ${typeName}`.trimEnd(),
      text: help.replaceAll("\n", " "),
    }))
    .toSorted((a, b) => (a.left.slice(6) < b.left.slice(6) ? -1 : 1))
  const column = Math.max(0, ...rows.map(({ left }) => left.length)) + 3
  return rows.map(({ left, text }) => `${left.padEnd(column)}${text}`)
}
