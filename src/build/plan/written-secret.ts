import { InvalidArgument } from "../../base/errors.ts"
import type { InstructionOf } from "../../dockerfile/dockerfile.ts"
import { parseRunMount, type MountFlag } from "../../dockerfile/run-mount.ts"

const COPIERS = new Set(["cp", "mv", "install", "ln", "rsync"])
/** What they print is what they were given. */
const PRINTERS = new Set(["cat", "echo", "printf", "tee", "sed", "awk", "envsubst", "head", "tail", "tr"])

/**
 * The ids of the secrets that the words of a RUN write to a file of the layer: `cp /run/secrets/x ~/.netrc`, `cat … > FILE`,
 * `echo $TOKEN | tee FILE`. A look at the text, not a shell: what a program does with a secret is seen when the layer is made.
 */
export function writtenSecrets({ command, documents, mounts }: InstructionOf<"run">): string[] {
  const flags = mounts.flatMap((mount) => parsed(mount))
  const secrets = flags.filter(({ type }) => type === "secret")
  if (secrets.length === 0) return []
  const elsewhere = flags.flatMap(({ type, target }) => (type === "secret" || !target ? [] : [target]))
  const text = [...command.words, ...documents.map(({ content }) => content)].join(" ").replaceAll(/\\\n/g, " ")
  return secrets.flatMap((secret) => {
    const { id, names } = namesOf(secret)
    const files = text.split(/&&|\|\||[;\n]/).flatMap((part) => writtenBy(part, names))
    const stays = (file: string): boolean =>
      !file.startsWith("/dev/") &&
      !elsewhere.some((directory) => file.startsWith(directory)) &&
      !new RegExp(`\\brm\\b[^;&|\\n]*${escaped(file)}`).test(text)
    return files.some(stays) ? [id] : []
  })
}

function parsed(mount: string): MountFlag[] {
  try {
    return [parseRunMount(mount, (value) => value)]
  } catch (error) {
    // refused where it is planned
    if (error instanceof InvalidArgument) return []
    throw error
  }
}

/** How the text of a script names it. */
function namesOf({ id, source, target, env }: MountFlag): { id: string; names: RegExp } {
  const name = source || id || (target ?? "").split("/").at(-1) || ""
  const file = target || (env === undefined ? `/run/secrets/${name.split("/").at(-1)}` : undefined)
  const forms = [
    ...(file === undefined ? [] : [`${escaped(file)}(?![\\w./-])`]),
    ...(env === undefined ? [] : [`\\$(?:${escaped(env)}\\b|\\{${escaped(env)}\\})`]),
  ]
  return { id: name, names: new RegExp(forms.join("|")) }
}

/** The files that one command, or a chain of pipes, writes the secret to. */
function writtenBy(part: string, names: RegExp): string[] {
  if (!names.test(part)) return []
  const pipes = part.split("|").map((one) => one.trim())
  const words = wordsOf(pipes[0] ?? "")
  const program = words[0]?.split("/").at(-1) ?? ""
  const last = words.at(-1) ?? ""
  if (COPIERS.has(program)) return words.slice(1, -1).some((word) => names.test(word)) ? [last] : []
  if (!PRINTERS.has(program)) return []
  const redirected = [...part.matchAll(/(?<![0-9&])>{1,2}\s*([^\s>&|]+)/g)].map(([, file = ""]) => file)
  const teed = pipes.filter((one) => /^(?:sudo\s+)?tee\b/.test(one)).flatMap((one) => wordsOf(one).slice(1))
  return [...redirected, ...teed].filter((file) => !file.startsWith("-")).map((file) => file.replaceAll(/["']/g, ""))
}

/** Without assignments before the program, and without sudo. */
function wordsOf(command: string): string[] {
  const words = command.split(/\s+/).filter((word) => word !== "")
  const first = words.findIndex((word) => !/^(?:\w+=\S*|sudo)$/.test(word))
  return first < 0 ? [] : words.slice(first)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}
