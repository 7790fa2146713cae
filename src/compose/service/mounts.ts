import { defined } from "../../base/defined.ts"
import { parseSize } from "../../base/sizes.ts"
import type { ContainerOptions } from "../../container/container.ts"
import { checkSubpath, PROPAGATIONS, type BindRequest, type MountRequest } from "../../spec/docker/mount-request.ts"
import { parseTmpfs } from "../../spec/docker/parse-tmpfs.ts"
import { parseVolumesFrom } from "../../spec/docker/volumes-from.ts"
import type { Project, ServiceVolume } from "../project.ts"
import { atKey, cannot, wrongValue } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

const RECURSIONS: Readonly<Record<string, BindRequest["recursion"]>> = {
  enabled: undefined,
  disabled: "none",
  writable: "writable",
  readonly: "readonly",
}

/** Volumes without a name, by target, that a container takes over from the one that it replaces. */
export type InheritedVolumes = ReadonlyMap<string, string>

/** `volumes`, `tmpfs` and `volumes_from` (resolved by references.ts). Throws InvalidArgument, Unsupported. */
export function mountOptions(
  context: ServiceContext,
  inherited: InheritedVolumes = new Map(),
): Pick<ContainerOptions, "mounts" | "volumesFrom"> {
  const { volumes = [], tmpfs = [], volumes_from: from = [] } = context.service
  const mounts = volumes.map((volume, index) => mountOf(context, volume, index))
  const named = mounts.map((mount): MountRequest => {
    const source = mount.type === "volume" && mount.source === undefined ? inherited.get(mount.target) : undefined
    return source === undefined ? mount : Object.assign({}, mount, { source, isAnonymous: true })
  })
  const own = new Set(named.map(({ target }) => target))
  // those that the image says
  for (const [target, source] of inherited)
    if (!own.has(target))
      named.push({ type: "volume", source, target, readOnly: false, copyUp: true, isAnonymous: true })
  for (const [index, text] of tmpfs.entries()) named.push(atKey(keyOf(context, "tmpfs", index), () => parseTmpfs(text)))
  const volumesFrom = from.map((text, index) =>
    atKey(keyOf(context, "volumes_from", index), () => parseVolumesFrom(text)),
  )
  return { mounts: named, ...(volumesFrom.length > 0 && { volumesFrom }) }
}

function mountOf(context: ServiceContext, mount: ServiceVolume, index: number): MountRequest {
  const key = keyOf(context, "volumes", index)
  const place = { target: mount.target, readOnly: mount.read_only === true }
  switch (mount.type) {
    case "bind":
      return { type: "bind", ...place, ...bindOf(mount, key) }
    case "volume": {
      const { source, volume: options = {} } = mount
      const isAnonymous = source === undefined || source === ""
      return {
        type: "volume",
        ...place,
        copyUp: options.nocopy !== true,
        ...(isAnonymous ? {} : { source: volumeName(context.project, source) }),
        ...defined({
          subpath: subpath(options.subpath, `${key}.volume.subpath`),
          labels: options.labels,
          driver: isAnonymous ? context.service.volume_driver || undefined : undefined,
        }),
      }
    }
    case "tmpfs": {
      const { size, mode } = mount.tmpfs ?? {}
      const sizeBytes = size === undefined ? undefined : atKey(`${key}.tmpfs.size`, () => parseSize(String(size)))
      return { type: "tmpfs", ...place, ...defined({ sizeBytes: sizeBytes || undefined, mode: mode || undefined }) }
    }
    case "image":
      if (!mount.source) throw wrongValue(key, "a mount of an image names none", "give it a source")
      return {
        type: "image",
        ...place,
        source: mount.source,
        ...defined({ subpath: subpath(mount.image?.subpath, `${key}.image.subpath`) }),
      }
    case "npipe":
      throw cannot(key, "named pipes are Windows'")
    case "cluster":
      throw cannot(key, "cluster volumes are those of a swarm")
  }
}

function bindOf(
  { source = "", bind = {} }: ServiceVolume,
  key: string,
): Omit<BindRequest, "type" | "target" | "readOnly"> {
  const { propagation, recursive } = bind
  if (propagation && !PROPAGATIONS.includes(propagation))
    throw wrongValue(`${key}.bind.propagation`, `unknown propagation "${propagation}"`, { valid: [...PROPAGATIONS] })
  if (recursive !== undefined && !Object.hasOwn(RECURSIONS, recursive))
    throw wrongValue(`${key}.bind.recursive`, `unknown value "${recursive}"`, { valid: Object.keys(RECURSIONS) })
  return {
    source,
    createSource: bind.create_host_path === true,
    ...defined({ propagation: propagation || undefined, recursion: RECURSIONS[recursive ?? "enabled"] }),
  }
}

/** What the engine calls a volume of the project. */
export function volumeName(project: Pick<Project, "name" | "volumes">, key: string): string {
  return project.volumes[key]?.name ?? `${project.name}_${key}`
}

function subpath(text: string | undefined, key: string): string | undefined {
  return text === undefined || text === "" ? undefined : atKey(key, () => checkSubpath(text))
}
