/** Names of variables that steer the runtime under us (Bun, JavaScriptCore, its allocator) or the dynamic linker. */
export const HIDDEN_PREFIXES: readonly string[] = ["BUN_", "NODE_", "JSC_", "MIMALLOC_", "LD_"]

/** Stands for the first letter of such a name, so that nothing finds it: scripts/guard-environment.ts puts it there. */
export const HIDDEN_MARK = "!"

/**
 * The environment as the caller gave it: for `--env NAME` and whatever else takes a variable by its name. The variables that
 * steer our runtime are hidden from `process.env`, and so from us and from all that we start.
 */
export function callerEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [callerName(name), value]))
}

/** One variable of it. */
export function callerVariable(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return isHidden(name) ? (env[hidden(name)] ?? env[name]) : env[name]
}

const isHidden = (name: string): boolean => HIDDEN_PREFIXES.some((prefix) => name.toUpperCase().startsWith(prefix))
const hidden = (name: string): string => `${HIDDEN_MARK}${name.slice(1)}`

function callerName(name: string): string {
  if (!name.startsWith(HIDDEN_MARK)) return name
  const rest = name.slice(1).toUpperCase()
  const prefix = HIDDEN_PREFIXES.find((one) => rest.startsWith(one.slice(1)))
  return prefix === undefined ? name : `${prefix.charAt(0)}${name.slice(1)}`
}
