import type { ServicePlan } from "./convert-options.ts"
import { ifAny, secondsOf } from "./quantities.ts"
import { placementOf } from "./workload.ts"
import { clusterName } from "./cluster-name.ts"

const WAIT_IMAGE = "busybox:stable"

/** The pods of a service: one container, and what is a pod's to say. Pure. */
export function podSpecOf(plan: ServicePlan, container: object, volumes: readonly object[]): object {
  const { service } = plan
  return {
    ...placementOf(plan),
    hostname: service.hostname,
    hostNetwork: service.network_mode === "host" ? true : undefined,
    hostPID: service.pid === "host" ? true : undefined,
    hostIPC: service.ipc === "host" ? true : undefined,
    hostUsers: service.userns_mode === "host" ? true : undefined,
    hostAliases: ifAny(hostAliases(service.extra_hosts ?? [])),
    dnsConfig: ifAny({
      nameservers: ifAny(service.dns ?? []),
      searches: ifAny(service.dns_search ?? []),
      options: ifAny((service.dns_opt ?? []).map(dnsOption)),
    }),
    securityContext: ifAny({
      supplementalGroups: ifAny((service.group_add ?? []).filter((group) => /^\d+$/.test(group)).map(Number)),
      sysctls: ifAny(Object.entries(service.sysctls ?? {}).map(([name, value]) => ({ name, value: String(value) }))),
    }),
    terminationGracePeriodSeconds: secondsOf(service.stop_grace_period),
    initContainers: ifAny(waitsOf(plan)),
    containers: [container],
    volumes: ifAny([...volumes]),
  }
}

/** What modes and keys mean there, said where they mean something else. */
export function losePodKeys({ service, key, lose }: ServicePlan): void {
  const path = (name: string) => `services.${key}.${name}`
  if (service.network_mode !== undefined && service.network_mode !== "host")
    lose(path("network_mode"), `a pod has a network of its own, not "${service.network_mode}"`)
  for (const name of ["pid", "ipc", "uts", "userns_mode"] as const)
    if (service[name] !== undefined && !(service[name] === "host" && name !== "uts"))
      lose(path(name), `"${service[name]}" is not known there`)
  if (service.domainname !== undefined) lose(path("domainname"), "the cluster's domain is the pods'")
  if (service.init !== undefined) lose(path("init"), "put an init program into the image")
  if (service.stop_signal !== undefined)
    lose(
      path("stop_signal"),
      "set STOPSIGNAL in the image: pods have no signal of their own before the gate ContainerStopSignals",
    )
  for (const [index, group] of (service.group_add ?? []).entries())
    if (!/^\d+$/.test(group)) lose(path(`group_add[${index}]`), `clusters know groups by number, not "${group}"`)
  for (const [name, network] of Object.entries(service.networks ?? {}))
    for (const word of [
      "ipv4_address",
      "ipv6_address",
      "mac_address",
      "link_local_ips",
      "priority",
      "gw_priority",
      "interface_name",
      "driver_opts",
    ] as const)
      if (network?.[word] !== undefined) lose(path(`networks.${name}.${word}`), "the cluster's network gives addresses")
}

function hostAliases(hosts: readonly string[]): { ip: string; hostnames: string[] }[] {
  const names = new Map<string, string[]>()
  for (const entry of hosts) {
    const at = entry.indexOf("=")
    const ip = entry.slice(at + 1).replace(/^\[|\]$/g, "")
    names.set(ip, [...(names.get(ip) ?? []), entry.slice(0, at)])
  }
  return [...names].map(([ip, hostnames]) => ({ ip, hostnames }))
}

function dnsOption(text: string): object {
  const [name = "", value] = text.split(":")
  return { name, value }
}

/** Waits until the Service of what this one depends on has an address: a headless one has none before a pod is ready. */
function waitsOf(plan: ServicePlan): object[] {
  const { service, project, options, key, lose } = plan
  return Object.entries(service.depends_on ?? {}).flatMap(([other, { condition, restart, required }]) => {
    const path = `services.${key}.depends_on.${other}`
    if (condition === "service_completed_successfully") {
      lose(`${path}.condition`, "pods cannot wait for a Job: let the program try again, or run the Job before")
      return []
    }
    if (restart === true) lose(`${path}.restart`, "pods are not restarted because others were")
    if (!required || !project.services[other]) return []
    const name = clusterName(other)
    const ports = project.services[other]
    const port = ports.ports?.[0]?.target ?? Number.parseInt(ports.expose?.[0] ?? "", 10)
    const test = port > 0 ? `nc -z -w 2 ${name} ${port}` : `nslookup ${name}`
    return [
      {
        name: `wait-for-${name}`,
        image: options.waitImage ?? WAIT_IMAGE,
        command: ["/bin/sh", "-c", `until ${test} >/dev/null 2>&1; do sleep 1; done`],
      },
    ]
  })
}
