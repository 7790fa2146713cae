import type { Service } from "../../compose/compose.ts"

/** A key of the project that Kubernetes has no word for, or has by another meaning. */
export interface Loss {
  /** `services.web.ulimits`. */
  path: string
  /** What becomes of it, and what to do. */
  reason: string
}

/** Keys of a service that no object of Kubernetes can say, whatever their value. */
const NO_WORD: Readonly<Partial<Record<keyof Service, string>>> = {
  attach: "only compose shows logs of its own accord",
  blkio_config: "pods have no limit of block input and output",
  cgroup: "the container runtime of the node chooses",
  cgroup_parent: "the kubelet chooses the cgroup",
  container_name: "pods are named by what makes them; others reach it by its Service",
  cpu_count: "it is for Windows",
  cpu_percent: "it is for Windows",
  cpu_period: "give deploy.resources.limits.cpus",
  cpu_quota: "give deploy.resources.limits.cpus",
  cpu_rt_period: "pods have no real-time time",
  cpu_rt_runtime: "pods have no real-time time",
  cpu_shares: "give deploy.resources.reservations.cpus",
  cpuset: "the CPU manager of the node chooses",
  credential_spec: "it is for Windows",
  develop: "nothing watches source files in a cluster",
  device_cgroup_rules: "devices come from device plugins",
  devices: "devices come from device plugins: ask for them as resources",
  external_links: "name the Service of the other project instead",
  isolation: "it is for Windows",
  links: "services find each other by name; a link's alias is no name there",
  logging: "the node keeps logs",
  mac_address: "pods get their addresses from the cluster's network",
  mem_swappiness: "the node chooses",
  memswap_limit: "pods do not swap by a limit of their own",
  models: "run the model server as a service",
  oom_kill_disable: "the kubelet decides",
  oom_score_adj: "the kubelet decides, by the pod's class of quality",
  pids_limit: "the kubelet has one limit for all pods",
  platform: "choose nodes: deploy.placement.constraints with node.platform.arch",
  provider: "it is a program of this machine",
  runtime: "make a RuntimeClass",
  storage_opt: "give an ephemeral-storage limit",
  ulimits: "the node's container runtime sets them",
  use_api_socket: "there is no engine's socket in a pod",
  volume_driver: "the storage class chooses",
  volumes_from: "mount the volume by its name in both",
}

/** What of a service is lost altogether. Pure. */
export function lostKeys(name: string, service: Service): Loss[] {
  return Object.entries(NO_WORD).flatMap(([key, reason]) => {
    const value = service[key as keyof Service]
    return reason !== undefined && isGiven(value) ? [{ path: `services.${name}.${key}`, reason }] : []
  })
}

function isGiven(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false
  return typeof value !== "object" || Object.keys(value).length > 0
}
