import { existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs"
import { basename, join, normalize } from "node:path"
import { InvalidArgument, isSkiffError, NotFound, Unavailable, Unsupported } from "../base/errors.ts"
import { manifestsOf, readManifests, type Manifest } from "../kube/kube.ts"
import { removeTree } from "../sys/fs/remove-tree.ts"
import { findProgram } from "../sys/host.ts"
import { sendSignal } from "../sys/libc.ts"
import { spawnKilledWithParent } from "../sys/process/killed-with-parent.ts"
import { collect } from "../sys/process/process.ts"

const EXTENSIONS = [".json", ".yaml", ".yml"]
const KUSTOMIZATIONS = ["kustomization.yaml", "kustomization.yml", "Kustomization"]
const MAX_OBJECTS = 5000
const MAX_DIRECTORIES = 10_000
const HELM_MS = 60_000
const SIGKILL = 9

/** What a directory of a checkout is read with. */
export interface ReadOptions {
  /** For charts. */
  namespace: string
  /** Of nobody else; a chart's program has it as its home. */
  scratch: string
  signal: AbortSignal
}

/**
 * The objects of a directory of a checkout. A directory with a kustomization or a chart is that; any other one is its files and its
 * directories. Names that begin with a dot are passed over. Throws NotFound, InvalidArgument, Unsupported, with places inside the checkout.
 */
export async function readDirectory(checkout: string, path: string, options: ReadOptions): Promise<Manifest[]> {
  const inside = normalize(path || ".")
  if (inside.startsWith("/") || inside.split("/").includes(".."))
    throw new InvalidArgument(`the path "${path}" leads out of the repository`)
  const start = join(checkout, inside)
  if (lstatSync(start, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new NotFound(`the commit has no directory "${path}"`)
  const found: Manifest[] = []
  try {
    let directories = 0
    const walk = async (directory: string): Promise<void> => {
      if (++directories > MAX_DIRECTORIES)
        throw new InvalidArgument(`there are more than ${MAX_DIRECTORIES} directories`)
      found.push(...(await objectsOf(directory, checkout, options, walk)))
      if (found.length > MAX_OBJECTS) throw new InvalidArgument(`there are more than ${MAX_OBJECTS} objects`)
    }
    await walk(start.replace(/\/$/, ""))
  } catch (error) {
    if (!isSkiffError(error)) throw error
    throw error.restated(error.message.replaceAll(`${checkout}/`, "").replaceAll(checkout, "."))
  }
  if (found.length === 0)
    throw new InvalidArgument(`the directory "${path || "."}" has no objects, and nothing is pruned for that`, {
      hint: "delete the objects by hand where none are wanted",
    })
  return found.map(({ object, place, source }) => ({ object, source, place: place.replaceAll(`${checkout}/`, "") }))
}

async function objectsOf(
  directory: string,
  checkout: string,
  options: ReadOptions,
  walk: (directory: string) => Promise<void>,
): Promise<Manifest[]> {
  const sources = { recursive: false, within: checkout, stdin: () => fetch("-"), fetch }
  if (KUSTOMIZATIONS.some((name) => existsSync(join(directory, name))))
    return readManifests({ ...sources, filenames: [], kustomize: directory })
  if (existsSync(join(directory, "Chart.yaml"))) return chart(directory, options)
  const files: string[] = []
  for (const entry of readdirSync(directory, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await walk(path)
    else if (entry.isFile() && EXTENSIONS.some((one) => entry.name.endsWith(one))) files.push(path)
  }
  return files.length === 0 ? [] : readManifests({ ...sources, filenames: files })
}

function fetch(url: string): Promise<Uint8Array> {
  return Promise.reject(
    new Unsupported(`"${url}" is not in the repository`, {
      hint: "put a copy of it into the repository: a commit says all",
    }),
  )
}

/** The objects that `helm template` makes of a chart with its own values; the release is called as the directory. Hooks are left out. */
async function chart(directory: string, { namespace, scratch, signal }: ReadOptions): Promise<Manifest[]> {
  const helm = findProgram("helm")
  if (helm === undefined)
    throw new Unsupported(`"${directory}" is a Helm chart, and helm is not installed`, {
      hint: "install helm, or commit what helm template writes",
    })
  await removeTree(scratch)
  mkdirSync(scratch, { mode: 0o700 })
  const release = basename(directory).toLowerCase()
  const words = ["template", release, directory, "--namespace", namespace, "--include-crds", "--no-hooks"]
  const child = spawnKilledWithParent([helm, ...words], {
    cwd: scratch,
    env: { PATH: process.env["PATH"], HOME: scratch, LC_ALL: "C" },
    stdout: "pipe",
    stderr: "pipe",
  })
  const ends = AbortSignal.any([signal, AbortSignal.timeout(HELM_MS)])
  const stop = (): void => void sendSignal(-child.pid, SIGKILL)
  ends.addEventListener("abort", stop, { once: true })
  try {
    const [out, complaint, code] = await Promise.all([bounded(child.stdout), collect(child.stderr), child.exited])
    if (ends.aborted && !signal.aborted)
      throw new Unavailable(`helm template of "${directory}" took longer than ${HELM_MS / 1000} s`)
    if (code !== 0)
      throw new InvalidArgument(`helm template of "${directory}" failed: ${complaint.trim().slice(-2000)}`)
    return manifestsOf(out, directory)
  } finally {
    ends.removeEventListener("abort", stop)
    await removeTree(scratch)
  }
}

const MAX_RENDERED = 8 * 1024 ** 2

async function bounded(stream: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream ?? []) {
    bytes += chunk.length
    if (bytes <= MAX_RENDERED) chunks.push(chunk)
  }
  if (bytes > MAX_RENDERED) throw new InvalidArgument(`the chart makes more than ${MAX_RENDERED} bytes`)
  return Buffer.concat(chunks)
}
