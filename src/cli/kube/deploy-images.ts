import { dirname, join, resolve, sep } from "node:path"
import { realpathSync } from "node:fs"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import type { Engine } from "../../engine/engine.ts"
import { at, isTree, listAt, textAt, textsAt, withAt, type Manifest, type Tree } from "../../kube/kube.ts"
import { FilesOfBuild } from "../build/files.ts"
import { openProgress } from "../build/progress.ts"
import { targetRequest } from "../bake/target-request.ts"

/** Says of a workload which of its images are built here: `DIRECTORY`, or `CONTAINER=DIRECTORY,…`. */
export const BUILD_ANNOTATION = "skiff.dev/build"
const STANDARD_ERROR = 2
const ID_CHARS = 16

/** How images come to where pods are. */
export interface DeployOptions {
  engine: Engine
  /** To their registries; else they stay in this store, where this machine's pods find them. */
  isPushed: boolean
  tlsVerify: boolean
  signal: AbortSignal
  told(text: string): void
}

/** The manifests with what they name built, pushed, and named by what no later build changes. Throws InvalidArgument, NotFound, as a build and a push. */
export async function withBuiltImages(manifests: readonly Manifest[], options: DeployOptions): Promise<Manifest[]> {
  const built = new Map<string, Promise<string>>()
  const done: Manifest[] = []
  for (const manifest of manifests) {
    const wanted = textsAt(manifest.object, "metadata", "annotations")[BUILD_ANNOTATION]
    done.push(
      wanted === undefined ? manifest : { ...manifest, object: await builtObject(manifest, wanted, built, options) },
    )
  }
  return done
}

async function builtObject(
  { object, place, source }: Manifest,
  wanted: string,
  built: Map<string, Promise<string>>,
  options: DeployOptions,
): Promise<Tree> {
  const path = specPath(object)
  if (path === undefined) throw new InvalidArgument(`${place}: ${BUILD_ANNOTATION} is for what makes pods`)
  const containers = listAt(object, ...path, "containers").filter(isTree)
  let changed = containers
  for (const [container, directory] of pairsOf(wanted, containers, place)) {
    const own = containers.find((one) => textAt(one, "name") === container)
    const image = textAt(own, "image")
    if (image === "") throw new NotFound(`${place}: no container "${container}" with an image`)
    const context = contextOf(source, directory, place)
    const key = `${context}\0${image}`
    const made = built.get(key) ?? buildImage(context, image, options)
    built.set(key, made)
    const result = await made
    changed = changed.map((one) => (textAt(one, "name") === container ? { ...one, image: result } : one))
  }
  return withAt(object, [...path, "containers"], changed)
}

/** Where a pod's specification is in what makes pods. */
function specPath(object: Tree): string[] | undefined {
  return [["spec", "jobTemplate", "spec", "template", "spec"], ["spec", "template", "spec"], ["spec"]].find(
    (path) => at(object, ...path, "containers") !== undefined,
  )
}

function pairsOf(wanted: string, containers: readonly Tree[], place: string): [string, string][] {
  const [only] = containers
  if (!wanted.includes("=")) {
    if (only === undefined || containers.length > 1)
      throw new InvalidArgument(`${place}: ${BUILD_ANNOTATION} has to say which container: CONTAINER=DIRECTORY`)
    return [[textAt(only, "name"), wanted]]
  }
  return wanted.split(",").map((pair) => {
    const equals = pair.indexOf("=")
    return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]
  })
}

/** Beside the manifest, or below it: a manifest of a stranger's shall not send other directories into an image. */
function contextOf(source: string, directory: string, place: string): string {
  if (source === "STDIN" || /^https?:/.test(source))
    throw new InvalidArgument(`${place}: ${BUILD_ANNOTATION} is of manifests that lie beside what is built`)
  const base = realpathSync(dirname(resolve(source)))
  const context = resolve(base, directory)
  const real = realpathSync(context)
  if (real !== base && !real.startsWith(join(base, sep)))
    throw new InvalidArgument(`${place}: "${directory}" is not beside or below the manifest`)
  return real
}

async function buildImage(
  context: string,
  image: string,
  { engine, isPushed, tlsVerify, signal, told }: DeployOptions,
): Promise<string> {
  using files = new FilesOfBuild()
  const request = await targetRequest(files, { context, tags: [image] }, signal)
  const builds = await engine.builds()
  using progress = openProgress("plain", STANDARD_ERROR)
  const { images } = await builds.build(request, (event) => progress.onEvent(event))
  const id = images[0]?.id ?? ""
  told(`built ${image}`)
  const store = await engine.images()
  if (!isPushed) {
    // a name that the next build does not take: an earlier revision can be rolled back to
    const own = `${image.replace(/@.*$/, "").replace(/:[^:/]+$/, "")}:skiff-${id.replace(/^sha256:/, "").slice(0, ID_CHARS)}`
    store.tag(image, own)
    return own
  }
  const pushed = await store.push(image, { tlsVerify, signal })
  told(`pushed ${pushed.name}@${pushed.digest}`)
  return `${pushed.name.replace(/:[^:/]+$/, "")}@${pushed.digest}`
}
