import { randomBytes } from "node:crypto"
import { NotFound } from "../../base/errors.ts"
import { UsageError } from "../errors/usage-error.ts"
import { isTree, listAt, textAt, treeAt, type Tree } from "../../kube/kube.ts"

/** How a copy of a pod differs from it. */
export interface CopyRequest {
  name: string
  /** The container that is looked into, changed or added; undefined: the first one, or one of a new name where there is an image. */
  container?: string | undefined
  image?: string | undefined
  imagePullPolicy?: string | undefined
  /** By container; `*`: of all. */
  images: Readonly<Record<string, string>>
  words: readonly string[]
  argumentsOnly: boolean
  env: readonly { name: string; value: string }[]
  stdin: boolean
  tty: boolean
  sameNode: boolean
  shareProcesses: boolean
  keepLabels: boolean
  keepAnnotations: boolean
  keepLiveness: boolean
  keepReadiness: boolean
  keepStartup: boolean
  keepInitContainers: boolean
}

/** As kubectl names one. */
export function debuggerName(): string {
  return `debugger-${randomBytes(4).toString("hex").slice(0, 5)}`
}

/**
 * A pod to look into in place of another: no Service and no controller takes it for theirs, as it has neither its labels nor its owner
 * (kubectl debug, generatePodCopyWithDebugContainer). Throws NotFound for a container that the pod has not. Pure but for a name.
 */
export function debugCopy(pod: Tree, request: CopyRequest): { pod: Tree; container: string } {
  const { ephemeralContainers: _, nodeName, initContainers, ...spec } = treeAt(pod, "spec")
  const originals = listAt(spec, "containers").filter(isTree)
  const chosen = request.container ?? (request.image === undefined ? textAt(originals[0], "name") : debuggerName())
  const isKnown = originals.some((one) => one["name"] === chosen)
  if (!isKnown && request.image === undefined)
    throw new UsageError("you must specify an existing container or a new image when specifying args.")
  for (const name of Object.keys(request.images))
    if (
      name !== "*" &&
      ![...originals, ...listAt(pod, "spec", "initContainers")].some((one) => textAt(one, "name") === name)
    )
      throw new NotFound(`unable to find container named "${name}"`)
  const copied = (one: Tree): Tree => withoutProbes(withImage(one, request.images), request)
  const containers = originals.map(copied).map((one) => (one["name"] === chosen ? debugged(one, request) : one))
  const { labels, annotations } = treeAt(pod, "metadata")
  return {
    container: chosen,
    pod: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: request.name,
        ...(request.keepLabels && labels !== undefined && { labels }),
        ...(request.keepAnnotations && annotations !== undefined && { annotations }),
      },
      spec: {
        ...spec,
        containers: isKnown ? containers : [...containers, debugged({ name: chosen }, request)],
        ...(request.keepInitContainers &&
          Array.isArray(initContainers) && {
            initContainers: initContainers.filter(isTree).map(copied),
          }),
        ...(request.sameNode && nodeName !== undefined && { nodeName }),
        // as kubectl has it: a pod of the host's processes shares those already
        ...(request.shareProcesses && spec["hostPID"] !== true && { shareProcessNamespace: true }),
      },
    },
  }
}

function debugged(container: Tree, request: CopyRequest): Tree {
  const { image, imagePullPolicy, words, argumentsOnly, env, stdin, tty } = request
  const { command: _, args: __, ...rest } = container
  return {
    ...(words.length > 0 ? { ...rest, ...(argumentsOnly ? { args: words } : { command: words }) } : container),
    ...(image !== undefined && { image }),
    ...(imagePullPolicy !== undefined && { imagePullPolicy }),
    ...(env.length > 0 && { env }),
    ...(stdin && { stdin }),
    ...(tty && { tty }),
  }
}

function withImage(container: Tree, images: Readonly<Record<string, string>>): Tree {
  const image = images[textAt(container, "name")] ?? images["*"]
  return image === undefined ? container : { ...container, image }
}

/** A program that is stopped in a debugger answers no probe. */
function withoutProbes(container: Tree, { keepLiveness, keepReadiness, keepStartup }: CopyRequest): Tree {
  const { livenessProbe, readinessProbe, startupProbe, ...rest } = container
  return {
    ...rest,
    ...(keepLiveness && livenessProbe !== undefined && { livenessProbe }),
    ...(keepReadiness && readinessProbe !== undefined && { readinessProbe }),
    ...(keepStartup && startupProbe !== undefined && { startupProbe }),
  }
}
