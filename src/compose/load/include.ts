import { statSync } from "node:fs"
import { dirname, isAbsolute, relative, resolve } from "node:path"
import { defaultEnvFile, readEnvFiles, withDefaults } from "./environment.ts"
import { fault } from "./fault.ts"
import { readModelFile, type ModelContext, type ModelFile } from "./model-context.ts"
import { isRemote } from "./remote.ts"
import { checkInside } from "./remote-paths.ts"
import { copyOrigin, isMap, originIn, type Origin, type Tree, type TreeMap } from "./tree.ts"

/** Kinds that an included file adds to. */
const KINDS = ["services", "volumes", "networks", "secrets", "configs", "models"]

/** One entry of `include`. */
interface Include {
  /** The first is the main one, the others override it. */
  paths: string[]
  projectDirectory: string | undefined
  envFiles: string[]
  origin: Origin | undefined
}

/** Makes one model of files, which is how an entry of `include` is loaded; the loader itself. */
export type LoadModel = (files: readonly ModelFile[], context: ModelContext) => Promise<TreeMap>

/**
 * Loads what a document includes, each entry as a project of its own with paths and `.env` of its own, and copies it in, in place. Throws
 * InvalidArgument for what both have and say differently.
 */
export async function applyInclude(
  tree: TreeMap,
  file: ModelFile,
  context: ModelContext,
  load: LoadModel,
): Promise<void> {
  for (const include of includesOf(tree))
    importModel(await loadInclude(include, file, context, load), tree, include.origin)
  delete tree.include
}

function includesOf(tree: TreeMap): Include[] {
  const { include } = tree
  if (include === undefined || include === null) return []
  if (!Array.isArray(include)) {
    const got = typeof include === "object" ? JSON.stringify(include) : String(include)
    throw fault(`\`include\` must be a list, got ${got}`, originIn(tree, "include"))
  }
  return include.map((entry, index) => {
    const origin = originIn(include, index)
    if (typeof entry === "string") return { paths: [entry], projectDirectory: undefined, envFiles: [], origin }
    if (!isMap(entry)) throw fault(`include[${index}] must be a string or a mapping`, origin)
    const projectDirectory = entry.project_directory ?? undefined
    if (projectDirectory !== undefined && typeof projectDirectory !== "string")
      throw fault(`include[${index}].project_directory must be a string`, originIn(entry, "project_directory"))
    return {
      paths: texts(entry, "path", index),
      projectDirectory: projectDirectory === "" ? undefined : projectDirectory,
      envFiles: texts(entry, "env_file", index),
      origin,
    }
  })
}

/** A text or a list of texts. */
function texts(entry: TreeMap, key: string, index: number): string[] {
  const value = entry[key] ?? []
  if (typeof value === "string") return [value]
  if (Array.isArray(value) && value.every((one): one is string => typeof one === "string")) return value
  throw fault(`include[${index}].${key} must be a string or a list of strings`, originIn(entry, key))
}

async function loadInclude(
  include: Include,
  file: ModelFile,
  context: ModelContext,
  load: LoadModel,
): Promise<TreeMap> {
  const { origin } = include
  const chain = [...context.chain, file.name]
  const located: { path: string; root: string | undefined }[] = []
  for (const path of include.paths) located.push(await locate(path, context, origin))
  const main = located[0]
  if (main === undefined) return {}
  refuseCycle(chain, main.path, origin)
  const directory = directoryOf(include, main.path, context)
  if (include.projectDirectory !== undefined) checkInside(main.root, directory, origin)
  const inner: ModelContext = {
    ...context,
    chain,
    directory,
    root: main.root,
    pathBase: context.request.skipPathResolution ? relative(context.directory, directory) : directory,
  }
  inner.environment = await environmentOf(include, inner, context)
  const files: ModelFile[] = []
  for (const { path, root } of located) files.push({ ...(await readModelFile(path, inner, origin)), root })
  return load(files, inner)
}

async function locate(name: string, context: ModelContext, origin: Origin | undefined) {
  if (isRemote(name)) {
    if (context.remotes === undefined) throw fault(`cannot read ${name}`, origin)
    const { file, root } = await context.remotes.fetch(name)
    return { path: file, root }
  }
  const path = resolve(context.directory, name)
  checkInside(context.root, path, origin)
  return { path, root: context.root }
}

function directoryOf({ projectDirectory: named }: Include, main: string, context: ModelContext): string {
  if (named === undefined) return dirname(main)
  return isAbsolute(named) ? named : resolve(context.directory, named)
}

/** Of who includes, and what the env files add: the named ones, else the `.env` of the included directory. */
async function environmentOf(
  include: Include,
  inner: ModelContext,
  outer: ModelContext,
): Promise<Record<string, string>> {
  const { origin } = include
  const { environment, warn } = outer
  const files =
    include.envFiles.length === 0
      ? await defaultEnvFile(inner.directory, {})
      : include.envFiles.map((name) => envFile(resolve(outer.directory, name), origin))
  for (const file of files) checkInside(inner.root, file, origin)
  return withDefaults(environment, await readEnvFiles(files, environment, warn, origin))
}

function envFile(path: string, origin: Origin | undefined): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw fault(`stat ${path}: no such file or directory`, origin, { code: "NotFound" })
  if (found.isDirectory()) throw fault(`${path} is not a file`, origin)
  return path
}

function refuseCycle(chain: readonly string[], file: string, origin: Origin | undefined): void {
  if (!chain.includes(file)) return
  throw fault(`include cycle detected:\n${[...chain, file].join("\n include ")}`, origin)
}

function importModel(from: TreeMap, to: TreeMap, origin: Origin | undefined): void {
  for (const kind of KINDS) {
    const source = from[kind]
    if (!isMap(source)) continue
    const known = to[kind]
    const target = isMap(known) ? known : {}
    for (const [name, value] of Object.entries(source)) {
      if (Object.hasOwn(target, name)) {
        if (isSame(value, target[name])) continue
        throw fault(`${kind}.${name} conflicts with imported resource`, originIn(target, name) ?? origin, {
          hint: "to override what is included, list the overriding file in the `path` of the include",
        })
      }
      target[name] = value
      copyOrigin(source, name, target)
    }
    to[kind] = target
  }
}

function isSame(a: Tree | undefined, b: Tree | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, index) => isSame(one, b[index]))
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a)
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]))
  }
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  return a === b
}
