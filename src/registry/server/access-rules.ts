/** Which users may do what to which repositories: the file of `--access`. */
import { InvalidArgument } from "../../base/errors.ts"
import type { Action, Scope } from "./access.ts"
import { isRepositoryOf } from "./repository-pattern.ts"

/** One who gave no name. */
export const ANONYMOUS = "anonymous"

const ACTIONS: readonly Action[] = ["pull", "push", "delete", "list"]

/** Users may do these actions to these repositories. */
export interface AccessRule {
  /** Names; `anonymous` is who gives none, `*` everybody with a name. */
  users: readonly string[]
  /** `team/app`, `team/*` (one part), `team/**` (all below), `**`. */
  repositories: readonly string[]
  actions: readonly Action[]
}

/** Without a file: who has a name may do all, and nobody else anything, or pull where that is asked for. */
export function usualRules(options: { anonymousPull: boolean }): AccessRule[] {
  const named: AccessRule = { users: ["*"], repositories: ["**"], actions: ACTIONS }
  const others: AccessRule = { users: [ANONYMOUS], repositories: ["**"], actions: ["pull", "list"] }
  return options.anonymousPull ? [named, others] : [named]
}

/** Reads `[[rule]]` tables of TOML, which `parse` has made objects. Pure. Throws InvalidArgument with the key. */
export function readRules(document: Record<string, unknown>, path: string): AccessRule[] {
  const { rule, ...others } = document
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw wrong(path, `has the unknown key "${unknown}"`)
  if (!Array.isArray(rule)) throw wrong(path, "has no [[rule]]")
  return rule.map((one, index) => readRule(one, `rule ${index + 1}`, path))
}

function readRule(value: unknown, which: string, path: string): AccessRule {
  const { users, repositories, actions, ...others } = value as Record<string, unknown>
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw wrong(path, `has the unknown key "${unknown}" in ${which}`)
  const words = (key: string, list: unknown): string[] => {
    if (Array.isArray(list) && list.length > 0 && list.every((word) => typeof word === "string"))
      return list as string[]
    throw wrong(path, `has no list of texts as "${key}" in ${which}`)
  }
  const read = words("actions", actions)
  const strange = read.find((word) => !ACTIONS.includes(word as Action))
  if (strange !== undefined) throw wrong(path, `has the unknown action "${strange}" in ${which}`, ACTIONS)
  return { users: words("users", users), repositories: words("repositories", repositories), actions: read as Action[] }
}

/** Whether some rule allows it. What none allows is refused. Pure. */
export function isAllowed(rules: readonly AccessRule[], user: string, { repository, action }: Scope): boolean {
  return rules.some(
    (rule) =>
      rule.actions.includes(action) &&
      rule.users.some((name) => name === user || (name === "*" && user !== ANONYMOUS)) &&
      (repository === undefined || rule.repositories.some((pattern) => isRepositoryOf(pattern, repository))),
  )
}

function wrong(path: string, what: string, valid?: readonly string[]): InvalidArgument {
  return new InvalidArgument(`the access file "${path}" ${what}`, valid === undefined ? {} : { hint: { valid } })
}
