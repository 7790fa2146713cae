import type { Container } from "kubernetes-types/core/v1"
import type { ContainerOptions, Resources } from "../../container/container.ts"
import type { MountRequest } from "../../spec/docker/mount-request.ts"
import type { ImageRunConfig } from "../../spec/oci-image.ts"
import type { RestartPolicy } from "../../spec/docker/restart-policy.ts"
import { parseWholeUserNamespace } from "../../spec/docker/user-namespace-mode.ts"
import { expandVariables } from "./expand.ts"
import { variablesOf } from "./environment.ts"
import { fieldFault, type Warnings } from "./field-fault.ts"
import type { NodeInput, NodeVolume } from "./node-pod.ts"
import { mountsOf, type ContainerMounts } from "./mounts.ts"
import type { NodePodSpec } from "./pod-options.ts"
import {
  annotatedLabels,
  annotatedOptions,
  automountedImages,
  initType,
  type Annotations,
  userNamespaceWord,
} from "./pod-annotations.ts"
import { healthOptions, type ContainerProbes } from "./probes.ts"
import { resourceLimits } from "./resources.ts"
import { securityOptions } from "./security-context.ts"

const SECCOMP_ROOT = "/var/lib/kubelet/seccomp"

/** One container of a pod, and what is known of the pod by then. */
export interface ContainerInput {
  input: NodeInput
  container: Container
  /** `spec.containers[0]`. */
  path: string
  role: "init" | "sidecar" | "main"
  volumes: ReadonlyMap<string, NodeVolume>
  annotations: Annotations
  probes: ContainerProbes
  restart: RestartPolicy["name"]
  /** Containers before it, and what the engine calls them. */
  names: ReadonlyMap<string, string>
  /** What the engine calls it. */
  engineName: string
  warnings: Warnings
}

/** The options of a container, and the parts of volumes that it mounts. Throws InvalidArgument, NotFound. Pure. */
export function containerOptions(of: ContainerInput): {
  options: ContainerOptions
  subpaths: ContainerMounts["subpaths"]
} {
  const { input, container, path, role, annotations, warnings } = of
  if (!container.image) throw fieldFault(`${path}.image`, "names no image")
  const image = input.sources.image(container.image)
  const variables = variablesOf({ ...input, container, path, warnings })
  const { mounts, devices, subpaths } = mountsOf(container, of.volumes, variables, path)
  const spec = input.pod.spec as NodePodSpec
  const annotated = annotatedOptions(annotations, container.name, of.names, warnings)
  const security = securityOptions({
    container,
    path,
    pod: spec.securityContext ?? {},
    annotations,
    image,
    seccompRoot: input.seccompRoot ?? SECCOMP_ROOT,
    warnings,
  })
  const health = role === "init" ? undefined : healthOptions(of.probes, of.restart !== "no")
  const words = [...(security.securityOptions ?? []), ...(annotated.securityOptions ?? [])]
  const options: ContainerOptions = {
    ...annotated,
    name: of.engineName,
    image: container.image,
    // it is here by now: who makes the pod has had it
    pull: "never",
    ...programOf(container, variables, image),
    env: [...variables].map(([name, value]) => `${name}=${value}`),
    labels: { ...input.pod.metadata?.labels, ...annotatedLabels(annotations, container.name) },
    ...workdirOf(container, path),
    ...(container.tty && { tty: true }),
    ...(container.stdin && { stdin: true }),
    ...security,
    ...(words.length > 0 ? { securityOptions: words } : { securityOptions: [] }),
    ...(devices.length > 0 && { devices }),
    ...userNamespaceOf(input, annotations),
    mounts: withAutomounted(mounts, input, annotations, container.name),
    resources: { ...limitsOf(container, path, warnings), ...annotated.resources },
    ...(health && { health }),
    ...lifeOf(of, spec),
    ...(annotated.autoRemove && { restart: { name: "no" as const, maximumRetryCount: 0 } }),
    ...(annotated.sdnotify === undefined && { sdnotify: "ignore" as const }),
  }
  return { options, subpaths }
}

/** `hostUsers: false` gives each container ids of its own. Undefined: the engine's. */
function userNamespaceOf(
  { pod, userNamespace }: NodeInput,
  annotations: Annotations,
): Pick<ContainerOptions, "userNamespace"> {
  const word = pod.spec?.hostUsers === false ? "auto" : userNamespaceWord(annotations)
  const mode = userNamespace ?? (word === undefined ? undefined : parseWholeUserNamespace(word))
  return mode === undefined ? {} : { userNamespace: mode }
}

function limitsOf({ resources = {} }: Container, path: string, warnings: Warnings): Resources {
  return resourceLimits(resources, `${path}.resources`, warnings)
}

/**
 * kubernetes.io "Define a Command and Arguments": `command` is the entrypoint and takes the image's words away, `args` are the words.
 * Variables are those of the container, and of its image, as podman's.
 */
function programOf(
  { command, args }: Container,
  variables: ReadonlyMap<string, string>,
  image: ImageRunConfig = {},
): Pick<ContainerOptions, "entrypoint" | "command"> {
  const images = new Map(
    (image.Env ?? []).map((entry) => {
      const at = entry.indexOf("=")
      return [entry.slice(0, at), entry.slice(at + 1)] as const
    }),
  )
  const filled = (words: readonly string[]): string[] =>
    words.map((word) => expandVariables(word, (name) => variables.get(name) ?? images.get(name)))
  const hasCommand = command !== undefined && command.length > 0
  const hasArgs = args !== undefined && args.length > 0
  return {
    ...(hasCommand && { entrypoint: filled(command) }),
    ...(hasArgs ? { command: filled(args) } : hasCommand ? { command: [] } : {}),
  }
}

function workdirOf({ workingDir }: Container, path: string): Pick<ContainerOptions, "workdir"> {
  if (!workingDir) return {}
  if (!workingDir.startsWith("/"))
    throw fieldFault(`${path}.workingDir`, `"${workingDir.slice(0, 100)}" is no absolute path`)
  return { workdir: workingDir }
}

/** How it is started again and stopped. */
function lifeOf(
  { container, role, annotations, restart, path, warnings }: ContainerInput,
  spec: NodePodSpec,
): Pick<ContainerOptions, "restart" | "initContainer" | "stopTimeoutSeconds" | "stopSignal" | "runTimeoutSeconds"> {
  const { terminationGracePeriodSeconds: grace, activeDeadlineSeconds: deadline } = spec
  if (grace !== undefined && grace < 0) throw fieldFault("spec.terminationGracePeriodSeconds", "is negative")
  if (deadline !== undefined && deadline < 1) throw fieldFault("spec.activeDeadlineSeconds", "must be at least 1")
  const signal = (container.lifecycle as { stopSignal?: string } | undefined)?.stopSignal
  if (deadline !== undefined && restart === "always" && role === "main")
    warnings.add("spec.activeDeadlineSeconds", "containers that are always restarted have no deadline here")
  const name = role === "init" ? "no" : role === "sidecar" ? "always" : restart
  return {
    restart: { name, maximumRetryCount: 0 },
    ...(role === "init" && { initContainer: initType(annotations, container.name) }),
    ...(role === "sidecar" && { initContainer: "sidecar" as const }),
    ...(grace !== undefined && { stopTimeoutSeconds: grace }),
    ...(signal && { stopSignal: signalOf(signal, `${path}.lifecycle.stopSignal`) }),
    ...(deadline !== undefined && restart !== "always" && role !== "sidecar" && { runTimeoutSeconds: deadline }),
  }
}

function signalOf(word: string, path: string): string {
  if (!/^SIG[A-Z0-9+-]{2,12}$/.test(word)) throw fieldFault(path, `"${word.slice(0, 40)}" is no signal`)
  return word
}

/** Podman's older way to image volumes: each VOLUME of such an image is mounted at its own place. */
function withAutomounted(
  mounts: readonly MountRequest[],
  { sources }: NodeInput,
  annotations: Annotations,
  container: string,
): MountRequest[] {
  const added = automountedImages(annotations, container).flatMap((source) => {
    const image = sources.image(source)
    if (image === undefined)
      throw fieldFault(
        "metadata.annotations",
        `image ${source.slice(0, 200)} from container ${container} does not exist in local storage, cannot automount`,
      )
    return Object.keys(image.Volumes ?? {}).map((target): MountRequest => ({
      type: "image",
      source,
      target,
      subpath: target.replace(/^\/+/, ""),
      readOnly: true,
    }))
  })
  const taken = new Set(mounts.map(({ target }) => target))
  return [...mounts, ...added.filter(({ target }) => !taken.has(target))]
}
