/** The commands that the documents show. */
import { readArgs } from "../../src/cli/args.ts"
import { shellWords } from "../../src/cli/build/shell-words.ts"
import { GLOBAL_FLAGS } from "../../src/cli/globals.ts"
import { parseFlags } from "../../src/cli/parse-flags.ts"
import { findEntry, GROUP_FLAGS, GROUPS } from "../../src/cli/table.ts"
import { parseMarkdown } from "./markdown.ts"

/** Lines behind `$ ` in the `console` blocks of a document; one that ends in a backslash goes on. */
export function consoleCommands(markdown: string): string[] {
  return parseMarkdown(markdown)
    .filter((block) => block.kind === "code" && block.language === "console")
    .flatMap((block) => (block.kind === "code" ? block.lines : []))
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.startsWith("$ "))
    .map((line) => line.slice(2))
}

/** The words of each `skiff` on a line of shell, in pipes and substitutions too. Throws InvalidArgument on an open quote. */
export function skiffCalls(line: string): string[][] {
  const calls: string[][] = []
  const rest = readCommands(line, calls)
  return rest === "" ? calls : [...calls, ...skiffCalls(rest)]
}

/** Ends at the `)` of the substitution that it began in; gives what follows. */
function readCommands(line: string, calls: string[][]): string {
  let current = ""
  let quote = ""
  const end = () => {
    const words = shellWords(current.replace(PREFIX, ""))
    if (words[0] === "skiff") calls.push(words.slice(1))
    current = ""
  }
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? ""
    const rest = line.slice(at)
    if (quote !== "'" && rest.startsWith("$(")) {
      const after = readCommands(rest.slice(2), calls)
      current += "SUBSTITUTION"
      at = line.length - after.length - 1
    } else if (character === "\\" && quote !== "'") current += character + (line[++at] ?? "")
    else if (quote !== "") {
      if (character === quote) quote = ""
      current += character
    } else if (character === "'" || character === '"') current += quote = character
    else if (character === "#" && /(^|\s)$/.test(current)) break
    else if (character === ")") {
      end()
      return rest.slice(1)
    } else if (/^\d?[<>]/.test(rest) && /(^|\s)$/.test(current))
      at += (/^\d?[<>]+\(?[&\s]*[^\s()|;]*/.exec(rest)?.[0].length ?? 1) - 1
    else if (/[|;&(]/.test(character)) end()
    else current += character
  }
  end()
  return ""
}

/** What may stand before a program on a line. */
const PREFIX = /^\s*(?:\w+=\S*\s+)*(?:sudo\s+(?:-\w+\s+)*|env\s+)?(?:\w+=\S*\s+)*/

/**
 * Reads a command line as the executable does, and runs nothing. Throws what it would say of a mistake. `variables` are those
 * that the shell would have put in the place of `$NAME`; of others the name stays.
 */
export async function checkCall(call: readonly string[], variables: Readonly<Record<string, string>>): Promise<void> {
  const words = call.map((word) => word.replaceAll(/\$(\w+)/g, (whole, name: string) => variables[name] ?? whole))
  const globals = parseFlags(GLOBAL_FLAGS, words, false)
  if (globals.help || globals.words.length === 0) return
  const typed = await withoutGroupFlags(globals.words)
  const found = findEntry(typed)
  if (!found) {
    const [group = "", verb] = typed
    if (group in GROUPS && (verb === undefined || verb === "--help")) return
    throw new Error(`no such command: skiff ${typed.join(" ")}`)
  }
  const command = (await found.entry.load()).default
  const parsed = parseFlags(command.flags, typed.slice(found.length), !command.flagsBeforeWords)
  if (!parsed.help && !readArgs(command.args, parsed.words, parsed.values))
    throw new Error(`wrong number of words: skiff ${words.join(" ")}`)
}

/** `compose -f FILE up`: those flags are the group's. */
async function withoutGroupFlags(words: readonly string[]): Promise<readonly string[]> {
  const [first = "", ...rest] = words
  const flags = await GROUP_FLAGS[first]?.()
  return flags ? [first, ...parseFlags(flags, rest, false).words] : words
}
