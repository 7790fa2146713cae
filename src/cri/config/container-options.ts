import { normalize, relative } from "node:path"
import { InvalidArgument } from "../../base/errors.ts"
import type { ContainerOptions } from "../../container/container.ts"
import type * as Cri from "../protocol/messages.ts"
import type { LogPlace } from "../log-link.ts"
import { written, type PodNote } from "../notes.ts"
import { logFile } from "./log-path.ts"
import { mountOf } from "./mounts.ts"
import { containerName } from "./names.ts"
import { containerNamespaces } from "./namespaces.ts"
import { resourcesOf, type LimitHost } from "./resources.ts"
import { securityOf } from "./security.ts"
import { signalOf } from "./signals.ts"

/** A container of a sandbox. Throws InvalidArgument. Makes the directory of its log. */
export function containerOptions(
  config: Cri.ContainerConfig,
  pod: PodNote,
  host: LimitHost & { canLinkLog(place: LogPlace): boolean },
): ContainerOptions {
  const { image, linux, metadata } = config
  if (image === null || image.image === "") throw new InvalidArgument("the image is missing", { field: "image" })
  const context = linux?.security_context ?? null
  if (context?.privileged && !pod.isPrivileged)
    throw new InvalidArgument("a privileged container needs a sandbox that was made for such", {
      field: "security_context.privileged",
    })
  const name = containerName(metadata, pod.metadata)
  const log = logFile(pod.logDirectory, config.log_path)
  const place = log === undefined ? undefined : placeOf(pod.logDirectory, log)
  const isLinked = place !== undefined && host.canLinkLog(place)
  const oomScoreAdj = Number(linux?.resources?.oom_score_adj ?? 0)
  const stopSignal = signalOf(config.stop_signal)
  const { command, args } = config
  const security = securityOf(context)
  const cdiDevices = config.CDI_devices.map((device) => device.name)
  return {
    name,
    image: image.image,
    pull: "never",
    ...(pod.runtimeHandler !== "" && { runtime: pod.runtimeHandler }),
    ...(command.length > 0 && { entrypoint: command }),
    command: args,
    ...(config.working_dir !== "" && { workdir: config.working_dir }),
    env: config.envs.map(variableOf),
    labels: { ...config.labels },
    ...security,
    namespaces: containerNamespaces(context?.namespace_options ?? null, pod.namespaces),
    security: { ...security.security, ...(cdiDevices.length > 0 && { cdiDevices }) },
    mounts: config.mounts.map(mountOf),
    devices: config.devices.map(deviceOf),
    stdin: config.stdin,
    keepStdin: config.tty || (config.stdin && !config.stdin_once),
    tty: config.tty,
    // kubelet bounds the pod
    resources: { pidsLimit: -1, ...resourcesOf(linux?.resources ?? null, host) },
    ...(oomScoreAdj !== 0 && { limits: { oomScoreAdj } }),
    ...(stopSignal !== undefined && { stopSignal }),
    // its files are rotated by kubelet
    ...(log !== undefined && {
      log: { driver: "k8s-file", options: { "max-size": "-1", ...(!isLinked && { path: log }) } },
    }),
    health: { disabled: true },
    notes: written({
      metadata: metadata ?? { name: "", attempt: 0 },
      annotations: config.annotations,
      image,
      mounts: config.mounts,
      logPath: place?.path ?? "",
      ...(place !== undefined && { logDirectory: place.directory, isLogLinked: isLinked }),
      stopSignal: config.stop_signal,
    }),
  }
}

function placeOf(directory: string, file: string): LogPlace {
  return { directory: normalize(directory), path: relative(normalize(directory), file) }
}

function variableOf({ key, value }: Cri.KeyValue): string {
  const text = Buffer.from(value).toString("utf8")
  if (key === "" || /[=\0]/.test(key) || text.includes("\0"))
    throw new InvalidArgument(`invalid environment variable ${JSON.stringify(key.slice(0, 100))}`, { field: "envs" })
  return `${key}=${text}`
}

function deviceOf({ container_path, host_path, permissions }: Cri.Device): NonNullable<ContainerOptions["devices"]>[0] {
  for (const path of [host_path, container_path])
    if (!path.startsWith("/") || path.split("/").includes(".."))
      throw new InvalidArgument(`invalid path "${path.slice(0, 200)}" of a device`, { field: "devices" })
  if (!/^[rwm]{0,3}$/.test(permissions))
    throw new InvalidArgument(`invalid permissions "${permissions.slice(0, 20)}" of a device`, { field: "devices" })
  return { hostPath: host_path, containerPath: container_path, permissions: permissions || "rwm" }
}
