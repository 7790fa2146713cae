import { InvalidArgument } from "../../base/errors.ts"
import type { SharedNamespace } from "../../sandbox/sandbox.ts"
import { parseMount } from "../../spec/docker/parse-mount.ts"
import { refused } from "../build/foreign-flag.ts"
import { ALLOW_NET_FLAG } from "../container-flags/egress.ts"
import { RESOURCE_FLAGS } from "../container-flags/limits.ts"
import { CONTAINER_FLAGS } from "../container-flags.ts"
import { flag, type Flag, type FlagValues } from "../flag.ts"

const SHARES: Readonly<Record<string, SharedNamespace>> = { net: "network", ipc: "ipc", uts: "uts", pid: "pid" }
const DEFAULT_SHARES = ["network", "ipc", "uts"] as const
const NO_PROCESS = "a pod has no infra container: its namespaces are held without a process of an image"
const ONE_USERNS = "the containers of a pod have the user namespace of the engine"

const {
  addHost,
  cgroupParent,
  device,
  dns,
  dnsOption,
  dnsSearch,
  hostname,
  hostsFile,
  ip,
  ip6,
  label,
  labelFile,
  macAddress,
  network,
  networkAlias,
  noHostname,
  noHosts,
  pid,
  publish,
  restart,
  securityOpt,
  shmSize,
  sysctl,
  uts,
  volume,
  volumesFrom,
} = CONTAINER_FLAGS

/** Flags of `pod create`, with podman's names. */
export const POD_FLAGS = {
  addHost,
  allowNet: ALLOW_NET_FLAG,
  ...RESOURCE_FLAGS,
  cgroupParent,
  device,
  dns,
  dnsOption,
  dnsSearch,
  exitPolicy: flag.choice(["continue", "stop"], "What happens when the last container ends", { initial: "continue" }),
  gidmap: refusedHere(ONE_USERNS),
  gpus: refusedHere("devices are given to a pod one by one", "--device PATH"),
  hostname,
  hostsFile,
  infra: flag.bool("Have a sandbox that owns what the containers share", { initial: true }),
  infraCommand: refusedHere(NO_PROCESS),
  infraConmonPidfile: refusedHere(NO_PROCESS),
  infraImage: refusedHere(NO_PROCESS),
  infraName: flag.string("Assign a name to the sandbox"),
  ip,
  ip6,
  label,
  labelFile,
  macAddress,
  mount: flag.list((text) => parseMount(text, process.cwd()), "Attach a filesystem mount to all containers", "mount"),
  name: flag.string("Assign a name to the pod", "string", { short: "n" }),
  network,
  networkAlias,
  noHostname,
  noHosts,
  pid,
  podIdFile: flag.string("Write the pod ID to the file", "file"),
  publish,
  replace: flag.bool("If a pod with the same name exists, replace it"),
  restart,
  securityOpt,
  share: flag.of(
    readShares,
    'Namespaces to share: "net", "ipc", "uts", "pid", "none", "+KIND" to add (default "ipc,net,uts")',
    "list",
  ),
  shareParent: flag.bool("Put the containers' control groups below the pod's", { initial: true }),
  shmSize,
  shmSizeSystemd: refusedHere("a pod has no tmpfs of systemd's: its containers may have their own", "--tmpfs in run"),
  subgidname: refusedHere(ONE_USERNS),
  subuidname: refusedHere(ONE_USERNS),
  sysctl,
  uidmap: refusedHere(ONE_USERNS),
  userns: flag.of(readUserns, 'User namespace to use ("host")', "string"),
  uts,
  volume,
  volumesFrom,
}

const CREATION = new Set([
  ..."addHost allowNet dns dnsOption dnsSearch exitPolicy hostsFile infra infraImage ip ip6 macAddress mount network".split(
    " ",
  ),
  ..."networkAlias noHostname noHosts podIdFile publish replace share shareParent".split(" "),
])

/** Flags of `pod clone`: what the new pod has otherwise than the old one. */
export const POD_CLONE_FLAGS = Object.fromEntries(
  Object.entries(POD_FLAGS).filter(([name]) => !CREATION.has(name)),
) as Partial<typeof POD_FLAGS>

/** The values of all flags of a pod where only some were asked for. */
export function podFlagValues(given: Partial<FlagValues<typeof POD_FLAGS>>): FlagValues<typeof POD_FLAGS> {
  const initial = Object.entries(POD_FLAGS).map(([name, { initial: value }]) => [name, value])
  return { ...(Object.fromEntries(initial) as FlagValues<typeof POD_FLAGS>), ...given }
}

/** Shown in help, as whoever comes from podman looks for it there. */
function refusedHere(reason: string, hint?: string): Flag<undefined> {
  return refused(reason, hint)
}

/** `none` shares nothing; with a `+` before it, a list adds to what pods share by default. */
function readShares(text: string): readonly SharedNamespace[] {
  const isMore = text.startsWith("+")
  const words = text
    .slice(isMore ? 1 : 0)
    .split(",")
    .filter(Boolean)
  if (words.includes("none")) return []
  const kinds = words.map((word) => {
    const kind = SHARES[word]
    if (kind === undefined)
      throw new InvalidArgument(`invalid kernel namespace to share: ${word}. Options are: ipc, net, pid, uts or none`, {
        hint: word === "cgroup" ? "each container has a cgroup namespace, below the pod's cgroup" : undefined,
      })
    return kind
  })
  return [...new Set([...(isMore ? DEFAULT_SHARES : []), ...kinds])]
}

function readUserns(text: string): "host" {
  if (text === "host" || text === "") return "host"
  throw new InvalidArgument(ONE_USERNS)
}
