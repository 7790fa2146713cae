import type { Volume } from "kubernetes-types/core/v1"
import { fieldFault } from "./field-fault.ts"
import type { ClaimedVolume, HostPathType, NodeInput, NodeVolume, PullPolicy } from "./node-pod.ts"
import { checkedFiles, downwardFiles, projectedFiles, referredFiles, type PayloadInput } from "./payload.ts"
import { parseWhole } from "./quantity.ts"

/** The name of an engine's volume, of a claim's too. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/
const MAX_VOLUMES = 1000
const HOST_PATH_TYPES: readonly HostPathType[] = [
  "",
  "DirectoryOrCreate",
  "Directory",
  "FileOrCreate",
  "File",
  "Socket",
  "CharDevice",
  "BlockDevice",
]

/** Types of a later API than the types know. */
export type PodVolume = Volume & { image?: { reference?: string; pullPolicy?: string } }

/** Volumes of a pod by name, without the parts that are mounted (`subPath`). Throws InvalidArgument, NotFound. Pure. */
export function volumesOf(input: PayloadInput & Pick<NodeInput, "volumeName">): Map<string, NodeVolume> {
  const volumes = (input.pod.spec?.volumes ?? []) as readonly PodVolume[]
  if (volumes.length > MAX_VOLUMES)
    throw fieldFault("spec.volumes", `has ${volumes.length} volumes, the limit is ${MAX_VOLUMES}`)
  const byName = new Map<string, NodeVolume>()
  for (const [index, volume] of volumes.entries()) {
    const path = `spec.volumes[${index}]`
    if (!NAME.test(volume.name ?? ""))
      throw fieldFault(`${path}.name`, `"${(volume.name ?? "").slice(0, 100)}" is no name of a volume`)
    if (byName.has(volume.name)) throw fieldFault(`${path}.name`, `there are two volumes "${volume.name}"`)
    byName.set(volume.name, volumeOf(volume, input, path))
  }
  return byName
}

function volumeOf(volume: PodVolume, input: PayloadInput & Pick<NodeInput, "volumeName">, path: string): NodeVolume {
  const { name, emptyDir, hostPath, persistentVolumeClaim, image, configMap, secret } = volume
  const { fsGroup } = input.pod.spec?.securityContext ?? {}
  const group = fsGroup === undefined ? {} : { groupId: fsGroup }
  const files = filesOf(volume, input, path)
  if (files !== undefined)
    return {
      kind: "files",
      name,
      path,
      volume: input.volumeName(name, configMap?.name ?? secret?.secretName),
      files: checkedFiles(files, path),
      ...group,
    }
  if (emptyDir) {
    const { medium = "", sizeLimit } = emptyDir
    if (medium !== "" && medium !== "Memory")
      input.warnings.add(`${path}.emptyDir.medium`, `"${medium.slice(0, 40)}" is not had here: the disk is taken`)
    const sizeLimitBytes = sizeLimit === undefined ? 0 : parseWhole(sizeLimit, `${path}.emptyDir.sizeLimit`)
    const inMemory = medium === "Memory"
    const size = sizeLimitBytes > 0 ? { sizeLimitBytes } : {}
    return { kind: "empty", name, path, volume: input.volumeName(name), inMemory, ...size, ...group, subpaths: [] }
  }
  if (hostPath) return hostVolume(hostPath, name, path)
  if (persistentVolumeClaim) {
    const { claimName, readOnly = false } = persistentVolumeClaim
    const claim = claimed(input, claimName, `${path}.persistentVolumeClaim`)
    return { kind: "claim", name, path, ...claim, readOnly, ...group, subpaths: [] }
  }
  if (image) return imageVolume(image, name, path)
  const kind = Object.keys(volume).find((key) => key !== "name") ?? "nothing"
  throw fieldFault(
    `${path}.${kind}`,
    `failed to create volume "${volume.name}": this node has none of that kind`,
    "use hostPath, configMap, secret, emptyDir, downwardAPI, projected, image or persistentVolumeClaim",
  )
}

function filesOf(volume: PodVolume, input: PayloadInput, path: string): ReturnType<typeof projectedFiles> | undefined {
  const { configMap, secret, downwardAPI, projected } = volume
  if (configMap)
    return referredFiles({ kind: "configmap", ...configMap, name: configMap.name ?? "" }, input, `${path}.configMap`)
  if (secret)
    return referredFiles({ kind: "secret", ...secret, name: secret.secretName ?? "" }, input, `${path}.secret`)
  if (downwardAPI) return downwardFiles(downwardAPI.items ?? [], downwardAPI.defaultMode, input, `${path}.downwardAPI`)
  return projected && projectedFiles(projected, input, `${path}.projected`)
}

function hostVolume(
  { path: hostPath, type = "" }: { path: string; type?: string },
  name: string,
  place: string,
): NodeVolume {
  const path = `${place}.hostPath`
  const known = HOST_PATH_TYPES.find((one) => one === type)
  if (known === undefined) throw fieldFault(`${path}.type`, `invalid HostPath type ${type.slice(0, 60)}`)
  if (!hostPath || hostPath.includes("\0")) throw fieldFault(`${path}.path`, "must be a path of the host")
  // podman: without a slash it is the name of a volume
  if (!hostPath.includes("/") && known === "") {
    if (!NAME.test(hostPath)) throw fieldFault(`${path}.path`, `"${hostPath.slice(0, 100)}" is no name of a volume`)
    return { kind: "claim", name, path: place, volume: hostPath, copyUp: true, readOnly: false, subpaths: [] }
  }
  if (!hostPath.startsWith("/"))
    throw fieldFault(`${path}.path`, `"${hostPath.slice(0, 100)}" is no absolute path`, "begin it with a slash")
  return { kind: "host", name, path: place, hostPath, type: known, subpaths: [] }
}

function claimed({ sources }: PayloadInput, name: string, path: string): ClaimedVolume {
  const claim = sources.claim(name ?? "")
  if (claim === undefined) throw fieldFault(path, `no such claim: "${(name ?? "").slice(0, 100)}"`)
  if (!NAME.test(claim.volume)) throw fieldFault(`${path}.claimName`, `"${claim.volume.slice(0, 100)}" is no name`)
  return claim
}

function imageVolume(
  { reference, pullPolicy }: NonNullable<PodVolume["image"]>,
  name: string,
  path: string,
): NodeVolume {
  if (!reference) throw fieldFault(`${path}.image.reference`, "names no image")
  return { kind: "image", name, path, reference, pull: pullOf(pullPolicy, reference, `${path}.image.pullPolicy`) }
}

/**
 * How an image is had. Without a word, podman's rule: one whose full name ends in `:latest`, or in no tag, is looked for at its registry, any
 * other is taken as it is here. Throws InvalidArgument. Pure.
 */
export function pullOf(policy: string | undefined, reference: string, path: string): PullPolicy {
  switch (policy?.toLowerCase()) {
    case "always":
      return "always"
    case "never":
      return "never"
    case "ifnotpresent":
    case "missing":
      return "missing"
    case "newer":
      return "newer"
    case undefined:
    case "":
      return isLatest(reference) ? "newer" : "missing"
    default:
      throw fieldFault(path, `"${policy?.slice(0, 40)}" is none of Always, IfNotPresent and Never`)
  }
}

/** With its registry, which is not this machine. */
function isLatest(reference: string): boolean {
  const [, host = "", rest = ""] = /^([^/]+)\/(.+)$/.exec(reference) ?? []
  const isFull = host.includes(".") || host.includes(":")
  return isFull && !rest.includes("@") && /^[^:]+(?::latest)?$/.test(rest)
}
