import type { Container, VolumeMount } from "kubernetes-types/core/v1"
import type { DeviceRequest } from "../../spec/docker/device-request.ts"
import { checkSubpath, type MountRequest } from "../../spec/docker/mount-request.ts"
import { expandVariables } from "./expand.ts"
import { fieldFault } from "./field-fault.ts"
import type { NodeVolume } from "./node-pod.ts"

const MAX_MOUNTS = 1000
const PROPAGATION: Readonly<Record<string, string | undefined>> = {
  None: undefined,
  HostToContainer: "rslave",
  Bidirectional: "rshared",
}
/** Words behind a colon of `mountPath`, which podman takes: what a volume's files may be used for. */
const FILE_WORDS = new Set(["exec", "noexec", "suid", "nosuid", "dev", "nodev"])
/** Of SELinux, or what is so anyway. */
const EMPTY_WORDS = new Set(["z", "Z", "rw", "bind", "rbind"])

/** What a container mounts, and the devices that it gets in a mount's place. */
export interface ContainerMounts {
  mounts: MountRequest[]
  devices: DeviceRequest[]
  /** Parts of volumes that must be there: by the name of the volume. */
  subpaths: { volume: string; subpath: string }[]
}

interface MountPlace {
  target: string
  readOnly: boolean
  subpath?: string
  propagation?: string
  options: string[]
  overlay: boolean
  chown: boolean
  noCopy: boolean
  recursion?: "readonly"
  path: string
}

/** Throws InvalidArgument for a volume that the pod has not, and for a part that leads out of its volume. Pure. */
export function mountsOf(
  container: Container,
  volumes: ReadonlyMap<string, NodeVolume>,
  variables: ReadonlyMap<string, string>,
  path: string,
): ContainerMounts {
  const result: ContainerMounts = { mounts: [], devices: [], subpaths: [] }
  const { volumeMounts = [] } = container
  if (volumeMounts.length > MAX_MOUNTS)
    throw fieldFault(`${path}.volumeMounts`, `has ${volumeMounts.length} mounts, the limit is ${MAX_MOUNTS}`)
  for (const [index, mount] of volumeMounts.entries()) {
    const place = `${path}.volumeMounts[${index}]`
    const volume = volumes.get(mount.name)
    if (volume === undefined)
      throw fieldFault(
        `${place}.name`,
        `volume mount ${(mount.name ?? "").slice(0, 100)} specified for container but not configured in volumes`,
      )
    addMount(result, mount.name, volume, mountPlace(mount, variables, place))
  }
  return result
}

function mountPlace(mount: VolumeMount, variables: ReadonlyMap<string, string>, path: string): MountPlace {
  const [target = "", words, ...rest] = (mount.mountPath ?? "").split(":")
  if (rest.length > 0)
    throw fieldFault(`${path}.mountPath`, `"${mount.mountPath}" incorrect volume format, should be ctr-dir[:option]`)
  if (!target.startsWith("/") || target.includes("\0"))
    throw fieldFault(`${path}.mountPath`, `"${target.slice(0, 100)}" is no absolute path`)
  const place: MountPlace = {
    target,
    readOnly: mount.readOnly ?? false,
    options: [],
    overlay: false,
    chown: false,
    noCopy: false,
    path,
  }
  for (const word of words?.split(",").filter(Boolean) ?? []) takeWord(place, word)
  const propagation = propagationOf(mount, path)
  const subpath = subpathOf(mount, variables, path)
  return {
    ...place,
    ...(propagation !== undefined && { propagation }),
    ...(subpath !== undefined && { subpath }),
    ...(mount.recursiveReadOnly === "Enabled" && { recursion: "readonly" as const }),
  }
}

function takeWord(place: MountPlace, word: string): void {
  if (word === "ro") place.readOnly = true
  else if (word === "O") place.overlay = true
  else if (word === "U") place.chown = true
  else if (word === "nocopy") place.noCopy = true
  else if (FILE_WORDS.has(word)) place.options.push(word)
  else if (/^r?(?:private|shared|slave)$/.test(word)) place.propagation = word
  else if (!EMPTY_WORDS.has(word) && word !== "copy")
    throw fieldFault(`${place.path}.mountPath`, `parsing MountOptions: invalid mount option "${word.slice(0, 40)}"`)
}

function propagationOf({ mountPropagation }: VolumeMount, path: string): string | undefined {
  if (mountPropagation === undefined) return undefined
  if (!Object.hasOwn(PROPAGATION, mountPropagation))
    throw fieldFault(`${path}.mountPropagation`, `unknown propagation mode "${mountPropagation.slice(0, 40)}"`)
  return PROPAGATION[mountPropagation]
}

/** It is looked up below the volume's own directory, whatever links are there (CVE-2021-25741): that is the engine's to do. */
function subpathOf(
  { subPath, subPathExpr }: VolumeMount,
  variables: ReadonlyMap<string, string>,
  path: string,
): string | undefined {
  if (subPath && subPathExpr) throw fieldFault(`${path}.subPathExpr`, "stands beside subPath")
  const text = subPath || (subPathExpr && expandVariables(subPathExpr, (name) => variables.get(name)))
  if (!text) return undefined
  const field = `${path}.${subPath ? "subPath" : "subPathExpr"}`
  if (!subPath && /\$\([^)]*\)/.test(text)) throw fieldFault(field, `"${text.slice(0, 100)}" names an unknown variable`)
  try {
    return checkSubpath(text)
  } catch {
    throw fieldFault(field, `"${text.slice(0, 100)}" is no relative path that leads down`)
  }
}

function addMount(result: ContainerMounts, name: string, volume: NodeVolume, place: MountPlace): void {
  if (volume.kind === "host" && (volume.type === "CharDevice" || volume.type === "BlockDevice")) {
    const permissions = place.readOnly ? "r" : "rwm"
    result.devices.push({ hostPath: volume.hostPath, containerPath: place.target, permissions })
    return
  }
  result.mounts.push(mountRequest(volume, place))
  if (place.subpath !== undefined) result.subpaths.push({ volume: name, subpath: place.subpath })
}

function mountRequest(volume: NodeVolume, place: MountPlace): MountRequest {
  const { target, readOnly, subpath } = place
  const part = subpath === undefined ? {} : { subpath }
  const shown = {
    ...(place.options.length > 0 && { options: place.options }),
    ...(place.overlay && { overlay: {} }),
    ...(place.chown && { chown: true }),
    ...(place.recursion && { recursion: place.recursion }),
  }
  switch (volume.kind) {
    case "host": {
      const { propagation } = place
      const how = propagation === undefined ? {} : { propagation }
      return { type: "bind", source: volume.hostPath, target, readOnly, createSource: false, ...how, ...part, ...shown }
    }
    case "image":
      return { type: "image", source: volume.reference, target, readOnly: true, ...part }
    case "claim": {
      const copyUp = volume.copyUp && !place.noCopy
      return {
        type: "volume",
        source: volume.volume,
        target,
        readOnly: readOnly || volume.readOnly,
        copyUp,
        ...part,
        ...shown,
      }
    }
    case "empty":
    case "files": {
      // of this pod alone: it goes with its containers
      const own = { type: "volume", source: volume.volume, isAnonymous: true, copyUp: false } as const
      return { ...own, target, readOnly: readOnly || volume.kind === "files", ...part, ...shown }
    }
  }
}
