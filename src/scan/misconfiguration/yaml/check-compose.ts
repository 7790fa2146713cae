import { parseSize } from "../../../base/sizes.ts"
import { parsePublish } from "../../../spec/docker/port-mapping.ts"
import { checkSettings } from "../container/check-settings.ts"
import {
  capabilityName,
  type ContainerSettings,
  type MountSetting,
  type PortSetting,
} from "../container/container-settings.ts"
import type { Misconfiguration } from "../../scan.ts"
import type { YamlView } from "./yaml-view.ts"

/** Whether a document is of compose: it has services, each a mapping. */
export function isCompose(document: YamlView): boolean {
  const services = document.get("services")?.entries ?? []
  return services.length > 0 && document.get("kind") === undefined && services.every(([, service]) => service.isMap)
}

/**
 * The rules on running containers, on each service of a compose file as it is written: variables are not filled in, other files not
 * merged. `path`: absolute in the subject.
 */
export function checkCompose(document: YamlView, path: string): Misconfiguration[] {
  return (document.get("services")?.entries ?? []).flatMap(([name, service]) =>
    checkSettings(settingsOfService(name, service), "compose", (setting) => {
      const line = (service.get(setting) ?? service).line
      return { path, startLine: line, endLine: line }
    }),
  )
}

/** How a service is run, as far as the file says it. */
export function settingsOfService(name: string, service: YamlView): ContainerSettings {
  const text = (key: string) => service.get(key)?.text ?? ""
  const list = (key: string) =>
    (service.get(key)?.items ?? []).flatMap(({ text: word }) => (word === undefined ? [] : [word]))
  const limits = service.get("deploy", "resources", "limits")
  const health = service.get("healthcheck")
  return {
    name,
    image: text("image"),
    user: service.get("user")?.text,
    privileged: service.get("privileged")?.isTrue ?? false,
    capAdd: list("cap_add").map(capabilityName),
    readOnlyRoot: service.get("read_only")?.isTrue ?? false,
    mounts: (service.get("volumes")?.items ?? []).flatMap(mountOf),
    network: text("network_mode"),
    pid: text("pid"),
    ipc: text("ipc"),
    uts: text("uts"),
    userNamespace: text("userns_mode"),
    cgroup: text("cgroup"),
    cgroupParent: text("cgroup_parent"),
    ports: (service.get("ports")?.items ?? []).flatMap(portsOf),
    memoryBytes: sizeOf(service.get("mem_limit")?.text ?? limits?.get("memory")?.text),
    hasCpuLimit:
      ["cpus", "cpu_shares", "cpu_quota", "cpuset", "cpu_count", "cpu_percent"].some((key) => service.get(key)) ||
      limits?.get("cpus") !== undefined,
    pidsLimit: service.get("pids_limit")?.number ?? limits?.get("pids")?.number,
    restart: restartOf(text("restart")),
    securityOptions: list("security_opt"),
    devices: list("devices").map((device) => device.split(":", 1)[0] ?? ""),
    hasHealthCheck: health === undefined ? undefined : !(health.get("disable")?.isTrue ?? false),
    command: service.get("command")?.isList ? list("command") : [text("command")].filter((word) => word !== ""),
  }
}

function mountOf(volume: YamlView): MountSetting[] {
  if (volume.text !== undefined) {
    const [source = "", target, options = ""] = volume.text.split(":")
    if (target === undefined) return []
    const words = options.split(",")
    const propagation = words.find((word) => /^r?(?:shared|slave|private)$/.test(word))
    return [{ source, target, readOnly: words.includes("ro"), ...(propagation === undefined ? {} : { propagation }) }]
  }
  const source = volume.get("source")?.text ?? volume.get("src")?.text
  if (source === undefined) return []
  const propagation = volume.get("bind", "propagation")?.text
  const target = volume.get("target")?.text ?? ""
  const readOnly = volume.get("read_only")?.isTrue ?? false
  return [{ source, target, readOnly, ...(propagation === undefined ? {} : { propagation }) }]
}

function portsOf(port: YamlView): PortSetting[] {
  const { text } = port
  if (text === undefined) {
    const published = port.get("published")
    if (published === undefined && port.get("target") === undefined) return []
    const hostPort = Number((published?.text ?? "0").split("-", 1)[0])
    return [{ hostAddress: port.get("host_ip")?.text ?? "", hostPort, containerPort: port.get("target")?.number ?? 0 }]
  }
  try {
    return parsePublish(text).map(({ hostAddress = "", hostPort, containerPort }) => ({
      hostAddress,
      hostPort,
      containerPort,
    }))
  } catch {
    // with a variable in it nobody knows
    return []
  }
}

function restartOf(text: string): ContainerSettings["restart"] {
  const [name = "no", count] = text === "" ? [] : text.split(":")
  return { name, maximumRetryCount: Number(count) || 0 }
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  try {
    return parseSize(text)
  } catch {
    // a variable: somebody means a limit
    return 1
  }
}
