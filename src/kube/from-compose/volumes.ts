import { basename } from "node:path"
import type { Service } from "../../compose/compose.ts"
import type { KubeObject } from "../kube-object.ts"
import type { ServicePlan } from "./convert-options.ts"
import { configData, objectName } from "./files.ts"
import { byteQuantity, ifAny } from "./quantities.ts"
import { clusterName } from "./cluster-name.ts"

type ServiceVolume = NonNullable<Service["volumes"]>[number]

/** A pod's volumes, its container's mounts, and objects that must be there before. */
export interface PodVolumes {
  volumes: object[]
  mounts: object[]
  objects: KubeObject[]
  /** Names of claims, which one node alone may write. */
  claims: string[]
}

/** All that a service mounts: volumes, binds, tmpfs, secrets, configs, shared memory. Pure but for `readFile`. */
export function volumesOf(plan: ServicePlan): PodVolumes {
  const found: PodVolumes = { volumes: [], mounts: [], objects: [], claims: [] }
  const { service } = plan
  for (const [index, volume] of (service.volumes ?? []).entries()) addVolume(plan, found, volume, index)
  for (const [index, text] of (service.tmpfs ?? []).entries()) addTmpfs(found, text, index)
  if (service.shm_size !== undefined) addMemory(found, "shm", "/dev/shm", byteQuantity(service.shm_size))
  for (const kind of ["secrets", "configs"] as const) addFiles(plan, found, kind)
  return found
}

function addVolume(plan: ServicePlan, found: PodVolumes, volume: ServiceVolume, index: number): void {
  const path = `services.${plan.key}.volumes[${index}]`
  const mount = (name: string, more: object = {}) =>
    found.mounts.push({
      name,
      mountPath: volume.target,
      readOnly: volume.read_only === true ? true : undefined,
      ...more,
    })
  switch (volume.type) {
    case "volume":
      return addNamed(plan, found, volume, (name) =>
        mount(name, volume.volume?.subpath === undefined ? {} : { subPath: volume.volume.subpath }),
      )
    case "bind":
      return addBind(plan, found, volume, { path, index, mount })
    case "tmpfs":
      addMemory(found, `tmpfs-${index}`, volume.target, byteQuantity(volume.tmpfs?.size))
      return
    case "image":
      found.volumes.push({ name: `image-${index}`, image: { reference: volume.source } })
      mount(`image-${index}`, volume.image?.subpath === undefined ? {} : { subPath: volume.image.subpath })
      return
    default:
      plan.lose(path, `a cluster has no volumes of type ${volume.type}`)
  }
}

function addNamed(
  { project, options }: ServicePlan,
  found: PodVolumes,
  { source, target }: ServiceVolume,
  mount: (name: string) => void,
): void {
  if (source === undefined) {
    const name = `anonymous-${clusterName(target)}`
    found.volumes.push({ name, emptyDir: {} })
    return mount(name)
  }
  const entry = project.volumes[source]
  const name = clusterName(source)
  const claimName = clusterName(entry?.external === true ? (entry.name ?? source) : source)
  if (!found.claims.includes(claimName)) {
    if (options.volumes === "emptyDir") found.volumes.push({ name, emptyDir: {} })
    else if (options.volumes === "hostPath")
      found.volumes.push({ name, hostPath: { path: `/var/lib/${project.name}/${source}`, type: "DirectoryOrCreate" } })
    else found.volumes.push({ name, persistentVolumeClaim: { claimName } })
    found.claims.push(claimName)
  }
  mount(name)
}

interface BindPlace {
  path: string
  index: number
  mount(name: string, more?: object): void
}

/** A small file becomes a ConfigMap; a directory stays where it is, on the node. */
function addBind(plan: ServicePlan, found: PodVolumes, { source = "" }: ServiceVolume, place: BindPlace): void {
  const bytes = plan.options.readFile(source)
  if (bytes !== undefined) {
    const name = `${plan.name}-file-${place.index}`
    const key = basename(source).replaceAll(/[^\w.-]/g, "-")
    found.objects.push({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, labels: { ...plan.labels } },
      ...configData(key, bytes),
    })
    found.volumes.push({ name: `file-${place.index}`, configMap: { name } })
    return place.mount(`file-${place.index}`, { subPath: key })
  }
  plan.lose(
    place.path,
    `"${source}" stays a directory of the node that runs the pod: use a volume, or put the files into the image`,
  )
  found.volumes.push({ name: `host-${place.index}`, hostPath: { path: source } })
  place.mount(`host-${place.index}`)
}

function addTmpfs(found: PodVolumes, text: string, index: number): void {
  const [path = "", options = ""] = text.split(":")
  const size = /(?:^|,)size=(\d+)([kmg]?)/i.exec(options)
  const bytes =
    size === null ? undefined : Number(size[1]) * 1024 ** " kmg".indexOf((size[2] ?? " ").toLowerCase() || " ")
  addMemory(found, `tmp-${index}`, path, byteQuantity(bytes))
}

function addMemory(found: PodVolumes, name: string, mountPath: string, sizeLimit: string | undefined): void {
  found.volumes.push({ name, emptyDir: { medium: "Memory", sizeLimit } })
  found.mounts.push({ name, mountPath })
}

/** Secrets and configs as files, each at its own path. */
function addFiles(plan: ServicePlan, found: PodVolumes, kind: "secrets" | "configs"): void {
  const { project, service, key } = plan
  for (const [index, { source, target, uid, gid, mode }] of (service[kind] ?? []).entries()) {
    const name = kind === "secrets" ? `secret-${index}` : `config-${index}`
    const object = objectName(project, kind, source)
    const modes = ifAny({ defaultMode: mode === undefined ? undefined : Number.parseInt(mode, 8) }) ?? {}
    found.volumes.push(
      kind === "secrets"
        ? { name, secret: { secretName: object, ...modes } }
        : { name, configMap: { name: object, ...modes } },
    )
    found.mounts.push({ name, mountPath: fileTarget(kind, source, target), subPath: source, readOnly: true })
    if (uid !== undefined || gid !== undefined)
      plan.lose(
        `services.${key}.${kind}[${index}].${uid === undefined ? "gid" : "uid"}`,
        "files of a pod belong to root, or to its fsGroup",
      )
  }
}

function fileTarget(kind: "secrets" | "configs", source: string, target = source): string {
  if (target.startsWith("/")) return target
  return kind === "secrets" ? `/run/secrets/${target}` : `/${target}`
}
