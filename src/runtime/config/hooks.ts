/**
 * Hooks that the host's owner has configured for containers that fit (oci-hooks(5)): JSON files of directories, of which a later one
 * masks those of the same name in an earlier one.
 */
import { existsSync, readFileSync, statSync } from "node:fs"
import * as v from "valibot"
import { DataLoss, InvalidArgument, NotFound } from "../../base/errors.ts"
import { namesIn } from "../../base/names-in.ts"
import type { OciConfig, OciHooks } from "../../spec/oci-runtime.ts"
import { absent, checkDocument, parseDocument } from "../../spec/parse-document.ts"

const STAGES = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] as const
const MAX_BYTES = 1024 * 1024

const CURRENT = v.object({
  version: v.literal("1.0.0"),
  hook: v.object({
    path: v.string(),
    args: absent(v.array(v.string())),
    env: absent(v.array(v.string())),
    timeout: absent(v.number()),
  }),
  when: v.strictObject({
    always: absent(v.boolean()),
    annotations: absent(v.record(v.string(), v.string())),
    commands: absent(v.array(v.string())),
    hasBindMounts: absent(v.boolean()),
  }),
  stages: v.pipe(v.array(v.picklist(STAGES)), v.minLength(1, "at least one stage is needed")),
})

/** The schema before versions: what is named is alternatives. */
const FORMER = v.object({
  hook: v.string(),
  arguments: absent(v.array(v.string())),
  stages: v.array(v.picklist(STAGES)),
  cmds: absent(v.array(v.string())),
  annotations: absent(v.array(v.string())),
  hasbindmounts: absent(v.boolean()),
})

type Hook = v.InferOutput<typeof CURRENT> & { isAnyEnough?: boolean }

/** What the conditions look at. */
export interface HookSubject {
  /** The program, as it is run. */
  command: string
  annotations: Readonly<Record<string, string>>
  /** The user asked for a bind. */
  hasBindMounts: boolean
}

/** Those of the directories that fit, by stage; undefined when none does. Throws NotFound, DataLoss naming the file. */
export function configuredHooks(directories: readonly string[], subject: HookSubject): OciHooks | undefined {
  const files = new Map<string, string>()
  for (const directory of directories) {
    if (!existsSync(directory)) throw new NotFound(`there is no directory of hooks "${directory}"`, { field: "hooks" })
    for (const name of namesIn(directory)) if (name.endsWith(".json")) files.set(name, `${directory}/${name}`)
  }
  const hooks: OciHooks = {}
  for (const name of [...files.keys()].toSorted()) {
    const { hook, when, stages, isAnyEnough } = readHook(files.get(name) ?? "")
    if (!fits(when, subject, isAnyEnough)) continue
    for (const stage of stages) (hooks[stage] ??= []).push({ ...hook })
  }
  return Object.keys(hooks).length === 0 ? undefined : hooks
}

function readHook(file: string): Hook {
  const what = `hook "${file}"`
  if (statSync(file).size > MAX_BYTES) throw new DataLoss(`${what} has more than ${MAX_BYTES} bytes`)
  const document = parseDocument(readFileSync(file), MAX_BYTES, what)
  const hook = document.version === undefined ? formerHook(document, what) : checkDocument(CURRENT, document, what)
  if (!hook.hook.path.startsWith("/") || !existsSync(hook.hook.path))
    throw new DataLoss(`invalid ${what}: hook.path: there is no program "${hook.hook.path}"`, {
      hint: "repair or remove the file: every container needs to know whether it applies",
    })
  return hook
}

function formerHook(document: Record<string, unknown>, what: string): Hook {
  const { hook, arguments: args, stages, cmds, annotations, hasbindmounts } = checkDocument(FORMER, document, what)
  return {
    version: "1.0.0",
    hook: { path: hook, ...(args && { args: [hook, ...args] }) },
    when: {
      commands: cmds,
      // any annotation whose value fits
      annotations: annotations && Object.fromEntries(annotations.map((value) => [".*", value])),
      hasBindMounts: hasbindmounts,
    },
    stages,
    isAnyEnough: true,
  }
}

/** Each condition that is given must hold; with `isAnyEnough` one of them. None given: it does not fit. */
function fits(when: Hook["when"], subject: HookSubject, isAnyEnough = false): boolean {
  const { always, annotations, commands, hasBindMounts } = when
  const conditions = [
    ...(always === undefined ? [] : [always]),
    ...Object.entries(annotations ?? {}).map(([key, value]) =>
      Object.entries(subject.annotations).some(([name, text]) => pattern(key).test(name) && pattern(value).test(text)),
    ),
    ...(commands === undefined ? [] : [commands.some((one) => pattern(one).test(subject.command))]),
    ...(hasBindMounts === undefined ? [] : [!hasBindMounts || subject.hasBindMounts]),
  ]
  if (conditions.length === 0) return false
  return isAnyEnough ? conditions.some(Boolean) : conditions.every(Boolean)
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (cause) {
    throw new InvalidArgument(`a hook has the invalid pattern "${text}"`, { field: "hooks", cause })
  }
}

/** Hooks of several sources, in order. */
export function joinHooks(...sources: readonly (OciHooks | undefined)[]): OciHooks | undefined {
  const hooks: OciHooks = {}
  for (const source of sources)
    for (const stage of STAGES) for (const hook of source?.[stage] ?? []) (hooks[stage] ??= []).push(hook)
  return Object.keys(hooks).length === 0 ? undefined : hooks
}

/** What the conditions look at, of a container's configuration. */
export function subjectOf({ process, annotations = {} }: OciConfig, hasBindMounts: boolean): HookSubject {
  return { command: process.args[0] ?? "", annotations, hasBindMounts }
}
