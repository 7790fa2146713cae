import { dirname } from "node:path"
import { convertContainer, madeImage, networkFlags, volumeOf } from "./convert-container.ts"
import { BUILD_KEYS, IMAGE_KEYS, NETWORK_KEYS, POD_KEYS, VOLUME_KEYS } from "./keys.ts"
import type { QuadletKind, QuadletUnit } from "./quadlet-unit.ts"
import { ServiceBuilder, type QuadletContext } from "./service.ts"

/** Makes the text of a service of a file. Pure but for paths that are looked at. Throws InvalidArgument with the file's name. */
export function convertUnit(unit: QuadletUnit, context: QuadletContext): string {
  return CONVERTERS[unit.kind](unit, context)
}

const CONVERTERS: Readonly<Record<QuadletKind, (unit: QuadletUnit, context: QuadletContext) => string>> = {
  container: convertContainer,
  volume: convertVolume,
  network: convertNetwork,
  pod: convertPod,
  kube: convertKube,
  build: convertBuild,
  image: convertImage,
}

/** What is there is left as it is; a stop leaves it, too. */
function once(service: ServiceBuilder, words: readonly string[]): string {
  service.runs("ExecStart", words)
  service.byDefault("Type", "oneshot")
  service.byDefault("RemainAfterExit", "yes")
  service.byDefault("SyslogIdentifier", "%N")
  return service.text()
}

function convertVolume(unit: QuadletUnit, context: QuadletContext): string {
  const service = new ServiceBuilder(unit, context)
  service.know("VolumeName", "Copy", "Device", "Type", "Options", "User", "Group", "Image")
  const name = unit.last("VolumeName") ?? unit.resourceName
  const given = unit.last("Image")
  const image = given === undefined ? undefined : madeImage(service, given)
  if (unit.last("Driver") === "image" && image === undefined)
    throw unit.error("the key Image is mandatory when using the image driver")
  return once(
    service,
    service.command(
      "volume",
      "create",
      "--ignore",
      ...service.flags(VOLUME_KEYS),
      ...(image === undefined ? volumeOptions(unit) : [`--opt=image=${image}`]),
      ...service.extra,
      name,
    ),
  )
}

/** mount(8)'s words, as options of the local driver. */
function volumeOptions(unit: QuadletUnit): string[] {
  const ids = (["User", "Group"] as const).flatMap((key) => {
    const value = unit.last(key)
    return value === undefined ? [] : [`${key === "User" ? "uid" : "gid"}=${value}`]
  })
  const options = [...ids, ...(unit.last("Options") === undefined ? [] : [unit.last("Options")])].join(",")
  const [device, type] = [unit.last("Device"), unit.last("Type")]
  return [
    ...(type === undefined ? [] : [`--opt=type=${type}`]),
    ...(device === undefined ? [] : [`--opt=device=${device}`]),
    ...(options === "" ? [] : [`--opt=o=${options}`]),
    ...(unit.isSet("Copy") === false ? ["--opt=nocopy"] : []),
  ]
}

function convertNetwork(unit: QuadletUnit, context: QuadletContext): string {
  const service = new ServiceBuilder(unit, context)
  service.know("NetworkName", "NetworkDeleteOnStop")
  const name = unit.last("NetworkName") ?? unit.resourceName
  const flags = service.flags(NETWORK_KEYS)
  if (unit.isSet("NetworkDeleteOnStop")) service.runs("ExecStopPost", service.command("network", "rm", name))
  return once(service, service.command("network", "create", "--ignore", ...flags, ...service.extra, name))
}

function convertPod(unit: QuadletUnit, context: QuadletContext): string {
  const service = new ServiceBuilder(unit, context)
  service.know("PodName", "ExitPolicy", "StopTimeout", "Volume")
  const name = unit.last("PodName") ?? unit.resourceName
  const timeout = unit.last("StopTimeout") ?? "10"
  const volumes = unit.all("Volume").map((value) => `--volume=${volumeOf(service, value)}`)
  const exit = unit.last("ExitPolicy")
  const flags = [...service.flags(POD_KEYS), ...networkFlags(service), ...volumes]
  const exitFlag = exit === undefined ? [] : [`--exit-policy=${exit}`]
  const create = service.command(
    "pod",
    "create",
    `--name=${name}`,
    "--replace",
    ...exitFlag,
    ...flags,
    ...service.extra,
  )
  service.runs("ExecStartPre", create)
  service.runs("ExecStart", service.command("pod", "start", name))
  service.runs("ExecStop", service.command("pod", "stop", "--ignore", `--time=${timeout}`, name))
  service.runs("ExecStopPost", service.command("pod", "rm", "--ignore", "--force", name), "-")
  const members = [...context.units.values()].filter(
    (one) => one.kind === "container" && one.last("Pod") === unit.fileName && one.isSet("StartWithPod") !== false,
  )
  for (const member of members)
    service.inUnit(["Wants", `${member.serviceName}.service`], ["Before", `${member.serviceName}.service`])
  service.byDefault("Type", "oneshot")
  service.byDefault("RemainAfterExit", "yes")
  service.byDefault("SyslogIdentifier", "%N")
  service.inService(["Environment", "SKIFF_SYSTEMD_UNIT=%n"])
  return service.text()
}

function convertKube(unit: QuadletUnit, context: QuadletContext): string {
  const service = new ServiceBuilder(unit, context)
  service.know("AutoUpdate", "ConfigMap", "ExitCodePropagation", "KubeDownForce", "SetWorkingDirectory", "Yaml")
  const files = unit.all("Yaml").map((file) => service.path(file))
  const [first] = files
  if (first === undefined) throw unit.error("no Yaml key specified")
  const propagation = propagationOf(unit)
  const flags = [
    ...(propagation === undefined ? [] : ["--service-container", `--service-exit-code-propagation=${propagation}`]),
    ...service.flags({
      PublishPort: ["--publish", "list"],
      UserNS: ["--userns", "value"],
      LogDriver: ["--log-driver", "value"],
      LogOpt: ["--log-opt", "list"],
    }),
    ...networkFlags(service),
    ...unit.all("AutoUpdate").map(autoUpdateFlag),
    ...unit.all("ConfigMap").map((file) => `--configmap=${service.path(file)}`),
  ]
  service.runs("ExecStart", service.command("kube", "play", "--replace", ...flags, ...service.extra, ...files))
  const down = service.command("kube", "down", ...(unit.isSet("KubeDownForce") ? ["--force"] : []), ...files)
  service.runs("ExecStopPost", down)
  // a process that stays sees the pods end, and its code is the unit's; else nothing stays
  if (propagation === undefined) {
    service.byDefault("Type", "oneshot")
    service.byDefault("RemainAfterExit", "yes")
  } else {
    service.inService(["Type", "notify"], ["NotifyAccess", "all"])
  }
  const directory = workingDirectory(unit, first)
  if (directory !== undefined) service.byDefault("WorkingDirectory", directory)
  service.byDefault("KillMode", "mixed")
  service.byDefault("SyslogIdentifier", "%N")
  service.inService(["Environment", "SKIFF_SYSTEMD_UNIT=%n"])
  return service.text()
}

function propagationOf(unit: QuadletUnit): string | undefined {
  const word = unit.last("ExitCodePropagation")
  if (word !== undefined && word !== "all" && word !== "any" && word !== "none")
    throw unit.error(`ExitCodePropagation=${word} is none of all, any and none`)
  return word
}

/** `registry`, or `web/registry` for one container. */
function autoUpdateFlag(word: string): string {
  const at = word.lastIndexOf("/")
  const [container, policy] = at < 0 ? ["", word] : [`/${word.slice(0, at)}`, word.slice(at + 1)]
  return `--annotation=io.containers.autoupdate${container}=${policy}`
}

/** The directory of the YAML, or of the unit. */
function workingDirectory(unit: QuadletUnit, yaml: string): string | undefined {
  const word = unit.last("SetWorkingDirectory")
  if (word === undefined) return undefined
  if (word.toLowerCase() === "yaml") return dirname(yaml)
  if (word.toLowerCase() === "unit") return dirname(unit.path)
  throw unit.error(`unsupported value for SetWorkingDirectory: ${word}`)
}

function convertBuild(unit: QuadletUnit, context: QuadletContext): string {
  const service = new ServiceBuilder(unit, context)
  service.know("File", "SetWorkingDirectory", "Volume", "IgnoreFile")
  if (unit.all("ImageTag").length === 0) throw unit.error("no ImageTag key specified")
  const [file, directory] = [unit.last("File"), unit.last("SetWorkingDirectory")]
  if (file === undefined && directory === undefined)
    throw unit.error("neither SetWorkingDirectory nor File key specified")
  const flags = [
    ...service.flags(BUILD_KEYS),
    ...networkFlags(service),
    ...unit.all("Volume").map((value) => `--volume=${volumeOf(service, value)}`),
    ...(file === undefined ? [] : [`--file=${service.path(file)}`]),
    ...unit.all("IgnoreFile").map((ignore) => `--ignorefile=${service.path(ignore)}`),
  ]
  return once(service, service.command("build", ...flags, ...service.extra, contextOf(service, file, directory)))
}

/** `unit` and `yaml` name directories of files; what is no directory (a git address) stays as it is. */
function contextOf(service: ServiceBuilder, file: string | undefined, directory: string | undefined): string {
  if (directory === "file" && file !== undefined) return service.path(`${service.path(file)}/..`)
  if (directory === undefined || directory === "unit") return service.path(".")
  return /^(https?:|git@|git:)/.test(directory) ? directory : service.path(directory)
}

function convertImage(unit: QuadletUnit, context: QuadletContext): string {
  const service = new ServiceBuilder(unit, context)
  service.know("Image", "ImageTag")
  const image = unit.last("Image")
  if (image === undefined) throw unit.error("no Image key specified")
  return once(service, service.command("pull", ...service.flags(IMAGE_KEYS), ...service.extra, image))
}
