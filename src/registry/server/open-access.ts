import { readFileSync, statSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import { OPEN_ACCESS, type Access } from "./access.ts"
import { readRules, usualRules, type AccessRule } from "./access-rules.ts"
import { TOKEN_PATH } from "./handle.ts"

/** Who may use a registry. */
export interface AccessOptions {
  /** File of users; without it everybody may do everything. */
  htpasswd?: string | undefined
  /** File of rules; default: every user may do all. */
  rules?: string | undefined
  /** Without a file of rules: whoever gives no name may pull. */
  anonymousPull?: boolean | undefined
  /** Keeps the key of tokens, for all servers of it. */
  directory?: string | undefined
}

/** The access that the options ask for. Files are read anew when they have changed. Throws InvalidArgument. */
export async function openAccess(options: AccessOptions, scheme: "http" | "https"): Promise<Access> {
  const { htpasswd, rules: file, anonymousPull = false, directory } = options
  if (htpasswd === undefined) {
    if (file !== undefined || anonymousPull)
      throw new InvalidArgument("rules need users", { field: "htpasswd", hint: "give a file of htpasswd(1)" })
    return OPEN_ACCESS
  }
  const rules = file === undefined ? () => usualRules({ anonymousPull }) : await rulesOf(file)
  const [{ GuardedAccess }, { Htpasswd }, { tokensOf }] = await Promise.all([
    import("./guarded-access.ts"),
    import("./htpasswd.ts"),
    import("./token.ts"),
  ])
  const users = new Htpasswd(htpasswd)
  return new GuardedAccess({ users, rules, tokens: tokensOf(directory), scheme, tokenPath: TOKEN_PATH })
}

/** A file that has become wrong while the server runs changes nothing. */
async function rulesOf(path: string): Promise<() => readonly AccessRule[]> {
  const { parse } = await import("smol-toml")
  const read = (): AccessRule[] => {
    try {
      return readRules(parse(readFileSync(path, "utf8")), path)
    } catch (cause) {
      if (cause instanceof InvalidArgument) throw cause
      const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
      throw new InvalidArgument(`the access file "${path}" cannot be read: ${reason}`, { cause })
    }
  }
  let rules = read()
  let readAt = statSync(path).mtimeMs
  return () => {
    const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? readAt
    if (changedAt === readAt) return rules
    readAt = changedAt
    try {
      rules = read()
    } catch {
      // as before, until it is right again
    }
    return rules
  }
}
