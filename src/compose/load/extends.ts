import { dirname, relative, resolve } from "node:path"
import { canonical } from "./canonical.ts"
import { fault } from "./fault.ts"
import { mergeDocuments, mergeServices } from "./merge.ts"
import { readModelFile, type ModelContext, type ModelFile } from "./model-context.ts"
import { resolvePaths } from "./paths.ts"
import { omitEmpty, prepare } from "./prepare.ts"
import { isRemote } from "./remote.ts"
import { checkInside, checkRemoteModel } from "./remote-paths.ts"
import { applyResets } from "./reset-override.ts"
import { cloneTree, isMap, originAt, originIn, type Origin, type TreeMap, type TreePath } from "./tree.ts"
import { enforceUnique } from "./unique.ts"

/** Services that may extend each other: those of one document, or of one file that is extended. */
interface Scope {
  services: TreeMap
  resets: readonly TreePath[]
  file: string
  /** Where names of files that they extend are taken from. */
  directory: string
  root: string | undefined
}

interface Link {
  service: string
  file: string
}

/** Puts under each service of a document what it extends, in place: of the same document, or of another file. Throws InvalidArgument, NotFound. */
export async function applyExtends(
  tree: TreeMap,
  resets: readonly TreePath[],
  file: ModelFile,
  context: ModelContext,
): Promise<void> {
  const { services } = tree
  if (services === undefined) return
  if (!isMap(services)) throw fault("services must be a mapping", originIn(tree, "services"))
  const extension = new Extension(context)
  const scope = { services, resets, file: file.name, directory: context.directory, root: context.root }
  for (const name of Object.keys(services)) await extension.extended(name, scope, [])
}

class Extension {
  readonly #context: ModelContext
  readonly #scopes = new Map<string, Promise<Scope>>()

  constructor(context: ModelContext) {
    this.#context = context
  }

  /** The service with all that it extends, which is where it was from then on. Null: it says nothing. */
  async extended(name: string, scope: Scope, chain: readonly Link[]): Promise<TreeMap | null> {
    const service = scope.services[name] ?? null
    if (service === null) return null
    if (!isMap(service)) throw fault(`services.${name} must be a mapping`, originIn(scope.services, name))
    if (service.extends === undefined) return service
    const origin = originIn(service, "extends")
    const links = [...chain, { service: name, file: scope.file }]
    refuseCircle(links, origin)
    const { ref, file } = target(name, service)
    const base =
      file === undefined ? scope : await this.#scopeOf(file, name, scope, originAt(service, ["extends", "file"]))
    if (!Object.hasOwn(base.services, ref))
      throw unknown(name, ref, scope.file, file, originAt(service, ["extends", "service"]))
    const below = await this.extended(ref, base, links)
    const merged = below === null ? { ...service } : mergeServices(withoutReset(below, name, scope.resets), service)
    delete merged.extends
    scope.services[name] = merged
    return merged
  }

  #scopeOf(file: string, name: string, from: Scope, origin: Origin | undefined): Promise<Scope> {
    const key = `${from.directory}\0${file}`
    const known = this.#scopes.get(key)
    if (known) return known
    const scope = this.#readScope(file, name, from, origin)
    this.#scopes.set(key, scope)
    return scope
  }

  /** The file by itself: neither what it includes nor whether it is valid counts; its paths are its own. */
  async #readScope(file: string, name: string, from: Scope, origin: Origin | undefined): Promise<Scope> {
    const context = this.#context
    const { path, root } = await this.#locate(file, from, origin)
    const read = await readModelFile(path, context, origin)
    let model: TreeMap = {}
    const resets: TreePath[] = []
    for (const document of read.documents) {
      const tree = prepare(document, read, context)
      applyResets(model, document.resets)
      model = enforceUnique(mergeDocuments(model, tree))
      model = canonical(model, context.warn, { skipInterpolation: context.request.skipInterpolation === true })
      model = enforceUnique(omitEmpty(model))
      resets.push(...document.resets)
    }
    const { services } = model
    if (services === undefined) throw fault(`cannot extend service "${name}" in ${path}: no services section`, origin)
    if (!isMap(services))
      throw fault(`cannot extend service "${name}" in ${path}: services must be a mapping`, originIn(model, "services"))
    const directory = dirname(path)
    checkRemoteModel(root, model, directory)
    resolvePaths(model, context.request.skipPathResolution ? relative(context.directory, directory) : directory)
    return { services: isMap(model.services) ? model.services : services, resets, file: path, directory, root }
  }

  async #locate(
    file: string,
    from: Scope,
    origin: Origin | undefined,
  ): Promise<{ path: string; root: string | undefined }> {
    const context = this.#context
    if (isRemote(file)) {
      if (context.remotes === undefined) throw fault(`cannot read ${file}`, origin)
      const { file: path, root } = await context.remotes.fetch(file)
      return { path, root }
    }
    const path = resolve(from.directory, file)
    checkInside(from.root, path, origin)
    return { path, root: from.root }
  }
}

function target(name: string, service: TreeMap): { ref: string; file: string | undefined } {
  const { extends: said } = service
  if (typeof said === "string") return { ref: said, file: undefined }
  const origin = originIn(service, "extends")
  if (!isMap(said)) throw fault(`services.${name}.extends must be a string or a mapping`, origin)
  if (typeof said.service !== "string") throw fault(`extends.${name}.service is required`, origin)
  if (said.file === undefined || said.file === null) return { ref: said.service, file: undefined }
  if (typeof said.file !== "string")
    throw fault(`services.${name}.extends.file must be a string`, originIn(said, "file"))
  return { ref: said.service, file: said.file }
}

function unknown(name: string, ref: string, inFile: string, file: string | undefined, origin?: Origin): Error {
  const where = file === undefined ? "" : ` in ${file}`
  return fault(`cannot extend service "${name}" in ${inFile}: service "${ref}" not found${where}`, origin)
}

function refuseCircle(links: readonly Link[], origin: Origin | undefined): void {
  const last = links.at(-1)
  const isRepeated = links.slice(0, -1).some(({ service, file }) => service === last?.service && file === last.file)
  if (!isRepeated) return
  const [first, ...others] = links.map(({ service, file }) => `${service} in ${file}`)
  throw fault(["Circular reference:", `  ${first}`, ...others.map((link) => `  extends ${link}`)].join("\n"), origin)
}

/** A copy of what `name` extends, less what it resets or overrides: at every link of a chain, also where compose-go forgets it. */
function withoutReset(base: TreeMap, name: string, resets: readonly TreePath[]): TreeMap {
  const copy = cloneTree(base)
  const own = resets.filter((path) => path.length > 2 && path[1] === name)
  if (own.length > 0) applyResets({ services: { [name]: copy } }, own)
  return copy
}
