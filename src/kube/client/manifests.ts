import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import { isTree, textAt, type Tree } from "../field.ts"
import { readDocuments } from "../read/read-documents.ts"

/** An object of a file. */
export interface Manifest {
  object: Tree
  /** `web.yaml:12`. */
  place: string
  /** As it was named: a file, an address, `STDIN`. */
  source: string
}

/** Where manifests are. */
export interface ManifestSources {
  /** Files, directories, addresses, `-`. */
  filenames: readonly string[]
  recursive: boolean
  /** A directory with a kustomization. */
  kustomize?: string | undefined
  /** What the kustomization names lies in it. Default: anywhere. */
  within?: string
  /** What `-` stands for. */
  stdin(): Promise<Uint8Array>
  /** What an address holds. */
  fetch(url: string): Promise<Uint8Array>
}

const EXTENSIONS = [".json", ".yaml", ".yml"]
const MAX_FILES = 10_000

/** All objects, in the order of the files. Throws NotFound for what is not there, InvalidArgument for what is no object. */
export async function readManifests(sources: ManifestSources): Promise<Manifest[]> {
  const found: Manifest[] = []
  if (sources.kustomize !== undefined) {
    const { kustomize } = await import("./kustomize/kustomize.ts")
    for (const object of await kustomize(sources.kustomize, sources.fetch, sources.within))
      found.push({
        object,
        place: `${sources.kustomize}: ${textAt(object, "kind")} "${textAt(object, "metadata", "name")}"`,
        source: sources.kustomize,
      })
  }
  for (const name of sources.filenames) {
    if (name === "-") found.push(...manifestsOf(await sources.stdin(), "STDIN"))
    else if (/^https?:\/\//.test(name)) found.push(...manifestsOf(await sources.fetch(name), name))
    else for (const file of filesOf(name, sources.recursive)) found.push(...manifestsOf(readFileSync(file), file))
  }
  if (found.length === 0 && sources.filenames.length > 0) throw new InvalidArgument("no objects passed to apply")
  return found
}

function filesOf(path: string, recursive: boolean): string[] {
  if (!existsSync(path)) throw new NotFound(`the path "${path}" does not exist`)
  if (!statSync(path).isDirectory()) return [path]
  const files: string[] = []
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const here = join(directory, entry.name)
      const isDirectory =
        entry.isDirectory() ||
        (entry.isSymbolicLink() && statSync(here, { throwIfNoEntry: false })?.isDirectory() === true)
      if (isDirectory) {
        if (recursive && !entry.isSymbolicLink()) walk(here)
      } else if (EXTENSIONS.some((one) => entry.name.endsWith(one))) files.push(here)
      if (files.length > MAX_FILES) throw new InvalidArgument(`"${path}" has more than ${MAX_FILES} files`)
    }
  }
  walk(path)
  if (files.length === 0)
    throw new InvalidArgument(`error reading [${path}]: recognized file extensions are [${EXTENSIONS.join(" ")}]`)
  return files
}

/** Objects of a text. */
export function manifestsOf(bytes: Uint8Array, source: string): Manifest[] {
  return readDocuments(bytes, source).map(({ value, place }) => {
    if (!isTree(value)) throw new InvalidArgument(`${place}: an object is expected`)
    for (const key of ["kind", "apiVersion"])
      if (textAt(value, key) === "")
        throw new InvalidArgument(`error validating "${source}": error validating data: ${key} not set`, {
          hint: `see ${place}`,
        })
    return { object: value, place, source }
  })
}

/** One value of JSON or YAML, as a patch is given. Throws InvalidArgument. */
export function manifestDocument(text: string, what: string): unknown {
  const [document, ...more] = readDocuments(Buffer.from(text), what)
  if (document === undefined || more.length > 0) throw new InvalidArgument(`${what} is one document of JSON or YAML`)
  return document.value
}
