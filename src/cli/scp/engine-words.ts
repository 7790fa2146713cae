import { userInfo } from "node:os"
import { NotFound } from "../../base/errors.ts"
import { findProgram } from "../../sys/host.ts"
import type { Endpoint } from "./endpoint.ts"

/** Who saves and loads there: the first of these that is installed. */
const ENGINES = ["skiff", "podman", "docker"] as const

/** How the engines are called. */
export interface EngineChoice {
  /** Words that run this very skiff with its store. */
  own: readonly string[]
  /** The engine of another host; undefined: what is there. */
  program: string | undefined
}

/** The words that run `save IMAGE` or `load` at one end. Throws NotFound when a program for the way there is not installed. */
export function engineWords(endpoint: Endpoint, verb: readonly string[], { own, program }: EngineChoice): string[] {
  if (endpoint.kind === "here" || (endpoint.kind === "user" && endpoint.user === userInfo().username))
    return [...own, ...verb]
  if (endpoint.kind === "user") return userWords(endpoint.user, [own[0] ?? "", ...verb])
  const { destination, port } = endpoint
  // whatever the login shell is over there, this is one word of it: neither a program's name nor an image's has a quote
  const line = `sh -c '${shellLine(program === undefined ? ENGINES : [program], verb)}'`
  return [mustFind("ssh"), ...(port === undefined ? [] : ["-p", port]), "--", destination, line]
}

/** Another user's store is where that user's login finds it. */
function userWords(user: string, words: readonly string[]): string[] {
  if (process.getuid?.() !== 0) return [mustFind("sudo"), "-i", "-u", user, "--", ...words]
  return [mustFind("runuser"), "-s", "/bin/sh", "-l", user, "-c", words.map((word) => `'${word}'`).join(" ")]
}

function shellLine(programs: readonly string[], verb: readonly string[]): string {
  const run = `for p in ${programs.join(" ")}; do command -v "$p" >/dev/null 2>&1 && exec "$p" ${verb.join(" ")}; done`
  return `${run}; echo "not installed: ${programs.join(", ")}" >&2; exit 127`
}

function mustFind(name: string): string {
  const path = findProgram(name)
  if (path === undefined) throw new NotFound(`no program "${name}"`, { hint: "install it to reach that end" })
  return path
}
