/** Annotations by which podman's YAML says what Kubernetes cannot: of the pod, or with `/NAME` of one container. */
import type { ContainerOptions } from "../../container/container.ts"
import { parseUlimit } from "../../spec/docker/ulimit.ts"
import { parseVolumesFrom, type VolumesFrom } from "../../spec/docker/volumes-from.ts"
import { fieldFault, type Warnings } from "./field-fault.ts"

const PODMAN = "io.podman.annotations."
const AUTO_UPDATE = ["io.containers.autoupdate", "io.containers.autoupdate.authfile"]
/** All keys and values together, as an API server bounds them. */
const MAX_BYTES = 256 * 1024
const SDNOTIFY = new Set(["ignore", "container", "conmon", "healthy"])

export type Annotations = Readonly<Record<string, string>>

/** Throws InvalidArgument for more than Kubernetes would take. Pure. */
export function checkAnnotations(annotations: Annotations): void {
  const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  if (size > MAX_BYTES)
    throw fieldFault("metadata.annotations", `annotations size ${size} is larger than limit ${MAX_BYTES}`)
  if (annotations[`${PODMAN}volumes-from`] !== undefined)
    throw fieldFault(
      "metadata.annotations",
      `annotation ${PODMAN}volumes-from without target volume is reserved for internal use`,
    )
}

/** Kubernetes' own that kubelet still reads. */
export function clusterAnnotations(annotations: Annotations): Annotations {
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => key.startsWith("container.apparmor.security.beta.kubernetes.io/")),
  )
}

/** Of one container: its own, else the pod's where podman looks there. */
function podmanWord(annotations: Annotations, name: string, container: string): string | undefined {
  return annotations[`${PODMAN}${name}/${container}`]
}

/** The name of the sandbox. */
export function sandboxName(annotations: Annotations): string | undefined {
  return annotations[`${PODMAN}infra.name`]
}

/** Podman's word for the user namespace of the pod. */
export function userNamespaceWord(annotations: Annotations): string | undefined {
  return annotations[`${PODMAN}userns`]
}

/** Whether an init container is kept after its end. Default `once`, as podman's. */
export function initType(annotations: Annotations, container: string): "once" | "always" {
  const word = podmanWord(annotations, "init.container.type", container) ?? annotations[`${PODMAN}init.container.type`]
  if (word === undefined || word === "" || word === "once") return "once"
  if (word === "always") return "always"
  throw fieldFault("metadata.annotations", `"${word.slice(0, 40)}" is no type of an init container`, {
    valid: ["once", "always"],
  })
}

/** What the annotations say of one container. `names`: those before it in the pod, and what the engine calls them. */
export function annotatedOptions(
  annotations: Annotations,
  container: string,
  names: ReadonlyMap<string, string>,
  warnings: Warnings,
): Pick<
  ContainerOptions,
  | "annotations"
  | "ulimits"
  | "init"
  | "autoRemove"
  | "resources"
  | "volumesFrom"
  | "sdnotify"
  | "process"
  | "securityOptions"
> {
  const path = "metadata.annotations"
  const ulimit = annotations[`${PODMAN}ulimit`]
  const label = podmanWord(annotations, "label", container)
  const seccomp = podmanWord(annotations, "seccomp", container)
  const apparmor = podmanWord(annotations, "apparmor", container)
  const sources = podmanWord(annotations, "volumes-from", container)
  const sdnotify = annotations[`io.containers.sdnotify/${container}`] ?? annotations["io.containers.sdnotify"]
  if (annotations["run.oci.mount_context_type"] !== undefined)
    warnings.add(`${path}["run.oci.mount_context_type"]`, "SELinux labels are the host's")
  // a runtime takes those of one line; longer ones (what was applied last) are nothing that it reads
  const short = Object.fromEntries(Object.entries(annotations).filter(([, value]) => !/[\n\r]/.test(value)))
  return {
    ...(Object.keys(short).length > 0 && { annotations: short }),
    ...(ulimit !== undefined && { ulimits: ulimit.split(",").map(parseUlimit) }),
    ...(isTrue(podmanWord(annotations, "init", container)) && { init: true }),
    ...(isTrue(podmanWord(annotations, "autoremove", container)) && { autoRemove: true }),
    resources: {
      ...integer(podmanWord(annotations, "pids-limit", container), "pidsLimit", path),
      ...text(podmanWord(annotations, "cpuset", container), "cpusetCpus"),
      ...text(podmanWord(annotations, "memory-nodes", container), "cpusetMems"),
    },
    ...(sources && { volumesFrom: volumesFromOf(sources, container, names) }),
    ...(sdnotify !== undefined && { sdnotify: sdnotifyOf(sdnotify) }),
    ...(annotations["run.oci.keep_original_groups"] === "1" && { process: { keepGroups: true } }),
    securityOptions: [
      ...(label ?? "").split(",label=").flatMap((word) => (word === "" ? [] : [`label=${word}`])),
      ...(seccomp === undefined ? [] : [`seccomp=${seccomp}`]),
      ...(apparmor === undefined ? [] : [`apparmor=${apparmor}`]),
    ],
  }
}

/** Labels that annotations make: how the image is kept up to date. */
export function annotatedLabels(annotations: Annotations, container: string): Record<string, string> {
  const entries = AUTO_UPDATE.flatMap((name) => {
    const value = annotations[`${name}/${container}`] ?? annotations[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(entries)
}

/** Images whose volumes are mounted where they say, read-only. */
export function automountedImages(annotations: Annotations, container: string): string[] {
  return (podmanWord(annotations, "kube.image.volumes.mount", container) ?? "").split(";").filter(Boolean)
}

/** Whether all ports of a container get one of the host's. */
export function publishesAll(annotations: Annotations, container: string): boolean {
  return isTrue(podmanWord(annotations, "publish-all", container))
}

function isTrue(word: string | undefined): boolean {
  return word !== undefined && /^(?:1|t|true)$/i.test(word)
}

function integer(word: string | undefined, key: string, path: string): object {
  if (word === undefined) return {}
  if (!/^-?\d{1,9}$/.test(word)) throw fieldFault(path, `"${word.slice(0, 40)}" is no number`)
  return { [key]: Number(word) }
}

function text(word: string | undefined, key: string): object {
  return word ? { [key]: word } : {}
}

function volumesFromOf(words: string, container: string, names: ReadonlyMap<string, string>): VolumesFrom[] {
  const path = "metadata.annotations"
  return words.split(";").map((word) => {
    const source = parseVolumesFrom(word)
    if (source.container === container)
      throw fieldFault(path, `to and from container names cannot be same in annotation ${PODMAN}volumes-from`)
    return Object.assign(source, { container: names.get(source.container) ?? source.container })
  })
}

function sdnotifyOf(word: string): "container" | "conmon" | "healthy" | "ignore" {
  if (!SDNOTIFY.has(word))
    throw fieldFault("metadata.annotations", `"${word.slice(0, 40)}" is no mode of sdnotify`, { valid: [...SDNOTIFY] })
  return word as "container" | "conmon" | "healthy" | "ignore"
}
