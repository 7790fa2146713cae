import { existsSync } from "node:fs"
import { CONTAINER_KEYS } from "./keys.ts"
import { ServiceBuilder, type QuadletContext } from "./service.ts"
import type { QuadletUnit } from "./quadlet-unit.ts"

/** Security keys: each is one `--security-opt`. */
const SECURITY: Readonly<Record<string, string>> = {
  AppArmor: "apparmor=",
  Mask: "mask=",
  SeccompProfile: "seccomp=",
  SecurityLabelFileType: "label=filetype:",
  SecurityLabelLevel: "label=level:",
  SecurityLabelType: "label=type:",
  Unmask: "unmask=",
}
const SECURITY_FLAGS: Readonly<Record<string, string>> = {
  NoNewPrivileges: "no-new-privileges",
  SecurityLabelDisable: "label=disable",
  SecurityLabelNested: "label=nested",
}

/** `.container`: one container, made by each start and removed by each stop. */
export function convertContainer(unit: QuadletUnit, context: QuadletContext): string {
  const service = new ServiceBuilder(unit, context)
  service.know("Image", "Rootfs", "Exec", "ContainerName", "Notify", "ReloadCmd", "ReloadSignal", "StartWithPod")
  service.know("AutoUpdate")
  const name = unit.last("ContainerName") ?? unit.resourceName
  const image = imageOf(service)
  const words = [
    ...service.command("run", `--name=${name}`, "--replace", "--rm", "-d"),
    `--sdnotify=${notifyOf(unit)}`,
    ...service.flags(CONTAINER_KEYS),
    ...userFlags(service),
    ...securityFlags(service),
    ...deviceFlags(service),
    ...storageFlags(service),
    ...networkFlags(service),
    ...environmentFiles(service),
    ...podFlags(service),
    ...updateLabel(unit),
    ...service.extra,
    ...(image === undefined ? [] : [image]),
    ...unit.words("Exec"),
  ]
  service.runs("ExecStart", words)
  const remove = service.command("rm", "-v", "-f", "-i", name)
  service.runs("ExecStop", remove)
  service.runs("ExecStopPost", remove, "-")
  reload(service, name)
  service.byDefault("Type", "notify")
  service.byDefault("NotifyAccess", "all")
  service.byDefault("KillMode", "mixed")
  service.byDefault("SyslogIdentifier", "%N")
  service.inService(["Delegate", "yes"], ["Environment", "SKIFF_SYSTEMD_UNIT=%n"])
  return service.text()
}

function imageOf(service: ServiceBuilder): string | undefined {
  const { unit } = service
  const image = unit.last("Image")
  const rootfs = unit.last("Rootfs")
  if (image !== undefined && rootfs !== undefined) throw unit.error("both Image= and Rootfs= are set: one is needed")
  if (rootfs !== undefined) return undefined
  if (image === undefined) throw unit.error("no Image or Rootfs key specified")
  return madeImage(service, image)
}

/** A name of an image, or of the unit that makes it. */
export function madeImage(service: ServiceBuilder, image: string): string {
  const { unit } = service
  const made = service.dependency(image, ["image", "build"])
  if (made === undefined) return image
  const tag = made.kind === "image" ? (made.last("ImageTag") ?? made.last("Image")) : made.all("ImageTag")[0]
  if (tag === undefined) throw unit.error(`${made.fileName} names no image`)
  return tag
}

function notifyOf(unit: QuadletUnit): string {
  const value = unit.last("Notify")
  if (value === "healthy") return value
  return unit.isSet("Notify") ? "container" : "conmon"
}

function userFlags(service: ServiceBuilder): string[] {
  service.know("User", "Group")
  const { unit } = service
  const [user, group] = [unit.last("User"), unit.last("Group")]
  if (user === undefined && group === undefined) return []
  if (user === undefined) throw unit.error("invalid Group set without User")
  return [`--user=${user}${group === undefined ? "" : `:${group}`}`]
}

function securityFlags(service: ServiceBuilder): string[] {
  service.know(...Object.keys(SECURITY), ...Object.keys(SECURITY_FLAGS))
  const { unit } = service
  return [
    ...Object.entries(SECURITY).flatMap(([key, option]) =>
      unit.all(key).map((value) => `--security-opt=${option}${value}`),
    ),
    ...Object.entries(SECURITY_FLAGS).flatMap(([key, option]) => (unit.isSet(key) ? [`--security-opt=${option}`] : [])),
  ]
}

/** One that begins with `-` is left away where the host has none. */
function deviceFlags(service: ServiceBuilder): string[] {
  service.know("AddDevice")
  return service.unit.words("AddDevice").flatMap((device) => {
    if (!device.startsWith("-")) return [`--device=${device}`]
    const [path = ""] = device.slice(1).split(":")
    return existsSync(path) ? [`--device=${device.slice(1)}`] : []
  })
}

function storageFlags(service: ServiceBuilder): string[] {
  service.know("Volume", "Mount")
  return [
    ...service.unit.all("Volume").map((value) => `--volume=${volumeOf(service, value)}`),
    ...service.unit.all("Mount").map((value) => `--mount=${mountOf(service, value)}`),
  ]
}

/** `data.volume:/data` is the volume of that file, `./x:/x` lies beside the file. */
export function volumeOf(service: ServiceBuilder, value: string): string {
  const [source = "", ...rest] = value.split(":")
  if (rest.length === 0) return value
  const volume = service.dependency(source, ["volume"])
  if (volume !== undefined) return [volume.last("VolumeName") ?? volume.resourceName, ...rest].join(":")
  return [source.startsWith(".") ? service.path(source) : source, ...rest].join(":")
}

function mountOf(service: ServiceBuilder, value: string): string {
  return value
    .split(",")
    .map((part) => {
      const [, key = "", source = ""] = /^(source|src)=(.+)$/.exec(part) ?? []
      if (key === "") return part
      const volume = service.dependency(source, ["volume"])
      if (volume !== undefined) return `${key}=${volume.last("VolumeName") ?? volume.resourceName}`
      return `${key}=${source.startsWith(".") ? service.path(source) : source}`
    })
    .join(",")
}

/** `net.network` is the network of that file, `other.container` the network of that container. */
export function networkFlags(service: ServiceBuilder): string[] {
  service.know("Network")
  return service.unit.all("Network").map((value) => {
    const [name = "", ...options] = value.split(":")
    const found = service.dependency(name, ["network", "container"])
    if (found === undefined) return `--network=${value}`
    if (found.kind === "container") return `--network=container:${found.last("ContainerName") ?? found.resourceName}`
    return `--network=${[found.last("NetworkName") ?? found.resourceName, ...options].join(":")}`
  })
}

function environmentFiles(service: ServiceBuilder): string[] {
  service.know("EnvironmentFile")
  return service.unit.words("EnvironmentFile").map((path) => `--env-file=${service.path(path)}`)
}

function podFlags(service: ServiceBuilder): string[] {
  service.know("Pod")
  const { unit } = service
  const name = unit.last("Pod")
  if (name === undefined) return []
  const pod = service.dependency(name, ["pod"])
  if (pod === undefined) throw unit.error(`pod ${name} is not Quadlet based`)
  service.inUnit(["BindsTo", `${pod.serviceName}.service`])
  return [`--pod=${pod.last("PodName") ?? pod.resourceName}`]
}

function updateLabel(unit: QuadletUnit): string[] {
  const update = unit.last("AutoUpdate")
  return update === undefined ? [] : [`--label=io.containers.autoupdate=${update}`]
}

function reload(service: ServiceBuilder, name: string): void {
  const { unit } = service
  const [command, signal] = [unit.words("ReloadCmd"), unit.last("ReloadSignal")]
  if (command.length > 0 && signal !== undefined) throw unit.error("both ReloadCmd= and ReloadSignal= are set")
  if (command.length > 0) service.runs("ExecReload", service.command("exec", name, ...command))
  if (signal !== undefined) service.runs("ExecReload", service.command("kill", "--signal", signal, name))
}
