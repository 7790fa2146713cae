import { readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { FailedPrecondition } from "../../base/errors.ts"
import { ignoreMatcher, parseIgnoreFile } from "../../dockerfile/ignore-file.ts"
import type { Project, Service, WatchRule } from "../project.ts"

/** A rule of a service's `develop.watch`, ready to be asked. */
export interface WatchTrigger {
  service: string
  rule: WatchRule
  /** As messages name it: `develop.watch[1] of web`. */
  called: string
  /** Whether a change of this path of the host is its. */
  concerns(path: string): boolean
  /** Whether all below this directory is ignored. */
  ignoresDirectory(path: string): boolean
}

/** What editors and version control leave beside files (docker compose has the same list). */
const ALWAYS_IGNORED = [
  ".git",
  "*~",
  ".#*",
  "#*#",
  "*.swp",
  "*.swx",
  "*.swo",
  "*.tmp~",
  "4913",
  "___jb_*",
  ".DS_Store",
  ".idea",
].map((name) => `**/${name}`)

/** What is watched of a project, and what its maker should know. */
export interface WatchTriggers {
  triggers: WatchTrigger[]
  warnings: string[]
}

/**
 * The rules of these services (none named: of all). A path that is mounted into its service is left out with a warning: it is there already.
 * Throws FailedPrecondition where there is nothing to watch, and for a `rebuild` of what has no build.
 */
export function watchTriggers(project: Project, names: readonly string[]): WatchTriggers {
  const warnings: string[] = []
  const triggers = Object.entries(project.services)
    .filter(([name]) => names.length === 0 || names.includes(name))
    .flatMap(([name, service]) =>
      (service.develop?.watch ?? []).flatMap((rule, index) => {
        if (isMounted(service, rule.path)) {
          warnings.push(`path '${rule.path}' also declared by a bind mount volume, this path won't be monitored!`)
          return []
        }
        return [triggerOf(name, service, rule, index)]
      }),
    )
  if (triggers.length === 0)
    throw new FailedPrecondition(
      "none of the selected services is configured for watch, consider setting a 'develop' section",
    )
  return { triggers, warnings }
}

function triggerOf(name: string, service: Service, rule: WatchRule, index: number): WatchTrigger {
  if (rule.action === "rebuild" && !service.build)
    throw new FailedPrecondition(`can't watch service "${name}" with action ${rule.action} without a build context`, {
      hint: "give the service a build section, or sync in place of rebuild",
    })
  const own = ignoreMatcher([...ALWAYS_IGNORED, ...(rule.ignore ?? [])])
  const included = rule.include?.length ? ignoreMatcher(rule.include) : undefined
  const context = contextIgnores(service)
  const isIgnored = (path: string, below: string) => own.excludes(below) || context(path)
  return {
    service: name,
    rule,
    called: `develop.watch[${index}] of ${name}`,
    concerns(path) {
      const below = pathBelow(rule.path, path)
      if (below === undefined) return false
      return below === "" || (!isIgnored(path, below) && (included === undefined || included.excludes(below)))
    },
    ignoresDirectory(path) {
      const below = pathBelow(rule.path, path)
      return below !== undefined && below !== "" && isIgnored(path, below) && !own.mayHoldIncluded(below)
    },
  }
}

/** What the build would not see is not watched either. */
function contextIgnores({ build }: Service): (path: string) => boolean {
  const context = build?.context
  if (context?.startsWith("/") !== true) return () => false
  const text = readIfThere(join(context, ".dockerignore"))
  if (text === undefined) return () => false
  const matcher = ignoreMatcher(parseIgnoreFile(text))
  return (path) => {
    const below = pathBelow(context, path)
    // the Dockerfile itself is read although it may be ignored
    return (
      below !== undefined && below !== "" && below !== (build?.dockerfile ?? "Dockerfile") && matcher.excludes(below)
    )
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** `path` from `root` on; "" is the root itself, undefined what is not below it. Pure. */
export function pathBelow(root: string, path: string): string | undefined {
  const below = relative(root, path)
  return below === ".." || below.startsWith("../") ? undefined : below
}

function isMounted({ volumes = [] }: Service, path: string): boolean {
  return volumes.some(
    ({ type, source }) => type === "bind" && source !== undefined && pathBelow(source, path) !== undefined,
  )
}
