import { basename } from "node:path"
import { COMPAT_ENV, dialectName } from "./dialect.ts"

/** Commands of buildah that are no `builder` command here, though one has their name. */
const NOT_OF_THE_BUILDER = new Set(["info", "version", "login", "logout", "pull", "push", "rmi", "tag", "help"])

/**
 * The command line of the tool that we are called as, in our words: `buildah from x` is `builder from x`, `docker-compose up` is
 * `compose up`. The choice goes into the environment, for a process of this name that replaces us. Throws InvalidArgument for a
 * tool that is not known.
 */
export async function adoptCommandLine(argv: readonly string[], program: string): Promise<readonly string[]> {
  const name = dialectName(process.env, program)
  process.env[COMPAT_ENV] = name
  if (basename(program).endsWith("-compose")) return composeWords(argv)
  if (name !== "buildah") return argv
  const [{ GLOBAL_FLAGS }, { parseFlags }, { findEntry }] = await Promise.all([
    import("../globals.ts"),
    import("../parse-flags.ts"),
    import("../table.ts"),
  ])
  const { words } = parseFlags(GLOBAL_FLAGS, argv, false)
  const [verb = ""] = words
  if (NOT_OF_THE_BUILDER.has(verb) || !findEntry(["builder", verb])) return argv
  return [...argv.slice(0, argv.length - words.length), "builder", ...words]
}

/** A process that replaced us has our words already: compose has no verb of that name. */
function composeWords(argv: readonly string[]): readonly string[] {
  const [first] = argv
  if (first === "compose" || first === "_step") return argv
  return first === "--version" || first === "-v" ? ["compose", "version"] : ["compose", ...argv]
}
