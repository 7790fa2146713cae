import type { ProjectContainer } from "../project-containers.ts"
import { LABEL } from "../labels.ts"
import type { Project, Service } from "../project.ts"
import { realName } from "../service/networks.ts"
import { volumeName } from "../service/mounts.ts"
import { changedKeys } from "./changed-keys.ts"
import type { Reason } from "./reason.ts"

/** Where a container keeps what it was made of: an annotation, which no list of labels shows. */
export const ANNOTATION = { service: "io.skiff.compose.service", files: "io.skiff.compose.files" } as const

/** What a container of a service is to be made of. */
export interface Wanted {
  project: Project
  /** References to containers resolved. */
  service: Service
  configHash: string
  /** As `comparableService` gives it. */
  comparable: string
  /** Of what is copied into it; "" for nothing. */
  filesDigest: string
  imageName: string
  /** Undefined: there is no such image (yet). */
  imageId: string | undefined
  /** Keys of networks and volumes that are made anew before. */
  newNetworks: ReadonlySet<string>
  newVolumes: ReadonlySet<string>
}

/** Why a container is not what is wanted; undefined: it is. Pure. */
export function divergence(one: ProjectContainer, wanted: Wanted): Reason | undefined {
  return (
    changedConfig(one, wanted) ??
    changedFiles(one, wanted) ??
    changedImage(one, wanted) ??
    missingNetwork(one, wanted) ??
    missingVolume(one, wanted)
  )
}

/** The hash first, which docker's containers have, too; where it differs and the service does not, another version made the hash. */
function changedConfig({ container, configHash }: ProjectContainer, wanted: Wanted): Reason | undefined {
  if (configHash === wanted.configHash) return undefined
  const kept = container.options.annotations?.[ANNOTATION.service]
  const keys = kept === undefined ? undefined : changedKeys(kept, wanted.comparable)
  if (keys === undefined) return { kind: "changed", more: 0 }
  const [first] = keys
  return first === undefined ? undefined : { kind: "changed", ...first, more: keys.length - 1 }
}

function changedFiles({ container }: ProjectContainer, { filesDigest }: Wanted): Reason | undefined {
  const kept = container.options.annotations?.[ANNOTATION.files]
  // docker's containers have none
  if (kept === undefined && container.options.annotations?.[ANNOTATION.service] === undefined) return undefined
  return (kept ?? "") === filesDigest ? undefined : { kind: "files" }
}

function changedImage({ container }: ProjectContainer, { imageId, imageName }: Wanted): Reason | undefined {
  const before = container.options.labels[LABEL.image] ?? container.imageId
  if (imageId === undefined || before === imageId) return undefined
  return { kind: "image", name: imageName, before, after: imageId }
}

function missingNetwork({ container }: ProjectContainer, wanted: Wanted): Reason | undefined {
  const { project, service, newNetworks } = wanted
  if (service.network_mode !== undefined) return undefined
  const joined = new Set(container.attachments.map(({ network }) => network))
  for (const key of Object.keys(service.networks ?? {})) {
    if (newNetworks.has(key)) return { kind: "newNetwork", network: realName(project, key) }
    const name = realName(project, key)
    if (!joined.has(name) && name !== "host" && name !== "none") return { kind: "network", network: name }
  }
  return undefined
}

function missingVolume({ container }: ProjectContainer, wanted: Wanted): Reason | undefined {
  const { project, service, newVolumes } = wanted
  const mounted = new Set(container.options.mounts.flatMap((mount) => (mount.type === "volume" ? [mount.source] : [])))
  for (const { type, source } of service.volumes ?? []) {
    if (type !== "volume" || source === undefined || source === "") continue
    const name = volumeName(project, source)
    if (newVolumes.has(source)) return { kind: "newVolume", volume: name }
    if (!mounted.has(name)) return { kind: "volume", volume: name }
  }
  return undefined
}
