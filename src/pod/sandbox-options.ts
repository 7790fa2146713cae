import { InvalidArgument } from "../base/errors.ts"
import { shortId } from "../base/short-id.ts"
import type { NetworkRequest } from "../network/network.ts"
import type { SandboxOptions, SharedNamespace } from "../sandbox/sandbox.ts"
import type { PodOptions } from "./pod.ts"
import type { PodRecord } from "./records.ts"

const DEFAULT_SHARES: readonly SharedNamespace[] = ["network", "ipc", "uts"]
const DEFAULT_SHM_BYTES = 64 * 1024 * 1024
const DEFAULT_NETWORK = "bridge"

/** What the containers of a pod share. Pure. */
export function sharedOf({
  hasSandbox = true,
  shares = DEFAULT_SHARES,
  namespaces = {},
}: PodOptions): readonly SharedNamespace[] {
  if (!hasSandbox) return []
  // of what each has from elsewhere, the sandbox has nothing to give
  return shares.filter((kind) => kind === "network" || namespaces[kind] === undefined)
}

/** Whether the pod's sandbox is what is on its networks; else each container has what the pod says for itself. Pure. */
export function ownsNetwork(options: PodOptions): boolean {
  const { kind } = options.network ?? { kind: "bridge" }
  return sharedOf(options).includes("network") && (kind === "bridge" || kind === "none")
}

/** The networks of a pod, in order. Pure. */
export function podNetworks(options: PodOptions): readonly NetworkRequest[] {
  const {
    network = { kind: "bridge", name: DEFAULT_NETWORK },
    networks,
    moreNetworks = [],
    address,
    macAddress,
  } = options
  if (network.kind !== "bridge") return []
  if (networks !== undefined) return networks
  return [{ network: network.name, address, macAddress }, ...moreNetworks.map((one) => ({ network: one }))]
}

/** Throws InvalidArgument for what contradicts itself, before anything is made. Pure. */
export function checkPodOptions(options: PodOptions): void {
  const { hasSandbox = true, ports = [], address, macAddress, networks = [], moreNetworks = [], allow } = options
  if (!hasSandbox && (options.shares ?? []).length > 0)
    throw new InvalidArgument("a pod without a sandbox shares no namespaces", {
      field: "shares",
      hint: { do: "omit", field: "shares" },
    })
  if (!hasSandbox && options.resources !== undefined && Object.keys(options.resources).length > 0)
    throw new InvalidArgument("a pod without a sandbox has no limits", { hint: "limit its containers" })
  if (ownsNetwork(options) && options.network?.kind !== "none") return
  const refused = [
    ["ports", ports.length > 0],
    ["address", address !== undefined],
    ["macAddress", macAddress !== undefined],
    ["egress.allow", allow !== undefined],
    ["network", networks.length + moreNetworks.length > 0],
  ] as const
  for (const [field, isGiven] of refused)
    if (isGiven)
      throw new InvalidArgument("conflicting options: the pod has no network of its own", {
        field,
        hint: "share the network namespace, and put the pod on a bridge",
      })
}

/** The sandbox of a pod. Pure. */
export function sandboxOptions({
  id,
  name,
  spec: { options },
}: Pick<PodRecord, "id" | "name" | "spec">): SandboxOptions {
  const { network = { kind: "bridge", name: DEFAULT_NETWORK }, cgroupParent } = options
  const shares = sharedOf(options)
  const isNetworked = ownsNetwork(options) && network.kind === "bridge"
  return {
    name: options.sandboxName ?? `${shortId(id)}-infra`,
    // hostname(7): at most 63 characters of one label
    hostname: options.hostname ?? name.slice(0, 63),
    labels: options.labels ?? {},
    sharePid: shares.includes("pid"),
    shares: shares.filter((kind) => kind !== "pid").filter((kind) => kind !== "network" || ownsNetwork(options)),
    onDemand: true,
    stopsWithLast: options.exitPolicy === "stop",
    networks: isNetworked ? podNetworks(options) : [],
    ports: isNetworked ? (options.ports ?? []) : [],
    ...(isNetworked && options.allow !== undefined && { allow: options.allow }),
    shmSizeBytes: options.shmSizeBytes ?? DEFAULT_SHM_BYTES,
    ...(options.sharesCgroup === false && options.resources === undefined
      ? {}
      : {
          cgroup: { limits: options.resources ?? {}, ...(cgroupParent === undefined ? {} : { parent: cgroupParent }) },
        }),
  }
}
