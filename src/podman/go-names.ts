import { DurationField } from "../docker/duration-field.ts"
import { hide } from "../docker/hidden-fields.ts"

/** Go's names of fields whose JSON has others. */
const GO_NAMES: Readonly<Record<string, string>> = {
  apparmorEnabled: "AppArmorEnabled",
  cgroupVersion: "CgroupsVersion",
  cpuUtilization: "CPUUtilization",
  cpus: "CPUs",
  slirp4netns: "Slirp4NetNS",
  idMappings: "IDMappings",
  id: "ID",
  ipv6_enabled: "IPv6Enabled",
  dns_enabled: "DNSEnabled",
  network_dns_servers: "NetworkDNSServers",
  ipam_options: "IPAMOptions",
  ipnet: "IPNet",
  mac_address: "MacAddress",
  start_ip: "StartIP",
  end_ip: "EndIP",
  ociRuntime: "OCIRuntime",
  os: "OS",
  seccompEnabled: "SECCOMPEnabled",
  seccompProfilePath: "SECCOMPProfilePath",
  selinuxEnabled: "SELinuxEnabled",
  uidmap: "UIDMap",
  gidmap: "GIDMap",
  rootlessNetworkCmd: "RootlessNetworkCmd",
}

/** A document of JSON's names, with Go's hidden beside them, at every depth: templates name those. */
export function withGoNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withGoNames)
  if (typeof value !== "object" || value === null || value instanceof Map) return value
  if (value instanceof Date || value instanceof DurationField) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withGoNames(one)]))
  return hide(copy, Object.fromEntries(Object.entries(copy).map(([key, one]) => [goName(key), one])))
}

/** `network_interface` is `NetworkInterface`. */
function goName(key: string): string {
  return GO_NAMES[key] ?? key.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
