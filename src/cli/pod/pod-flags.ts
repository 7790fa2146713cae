import { InvalidArgument } from "../../base/errors.ts"
import type { SharedNamespace } from "../../sandbox/sandbox.ts"
import { parseMount } from "../../spec/docker/mount-request.ts"
import { refused, withoutValue } from "../build/foreign-flag.ts"
import { RESOURCE_FLAGS } from "../container-flags/limits.ts"
import { CONTAINER_FLAGS } from "../container-flags.ts"
import { flag } from "../flag.ts"

const SHARES: Readonly<Record<string, SharedNamespace>> = { net: "network", ipc: "ipc", uts: "uts", pid: "pid" }
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
  ip,
  label,
  labelFile,
  macAddress,
  pid,
  publish,
  restart,
  securityOpt,
  shmSize,
  sysctl,
  uts,
  volume,
} = CONTAINER_FLAGS

/** Flags of `pod create`, with podman's names. */
export const POD_FLAGS = {
  addHost,
  ...RESOURCE_FLAGS,
  cgroupParent,
  device,
  dns,
  dnsOption,
  dnsSearch,
  exitPolicy: flag.choice(["continue", "stop"], "What happens when the last container ends", { initial: "continue" }),
  gidmap: refused(ONE_USERNS),
  hostname,
  infra: flag.bool("Have a sandbox that owns what the containers share", { initial: true }),
  infraCommand: refused(NO_PROCESS),
  infraConmonPidfile: refused(NO_PROCESS),
  infraImage: refused(NO_PROCESS),
  infraName: flag.string("Assign a name to the sandbox"),
  ip,
  ip6: refused("networks have IPv4 addresses alone"),
  label,
  labelFile,
  macAddress,
  mount: flag.list((text) => parseMount(text, process.cwd()), "Attach a filesystem mount to all containers", "mount"),
  name: flag.string("Assign a name to the pod", "string", { short: "n" }),
  network: flag.strings("Connect the pod to a network", "network", { aliases: ["net"], completes: "networks" }),
  networkAlias: refused("a pod has one name on its networks: its host name", "--hostname NAME"),
  noHosts: withoutValue(refused("each container has an /etc/hosts of its pod's"), "true"),
  pid,
  podIdFile: flag.string("Write the pod ID to the file", "file"),
  publish,
  replace: flag.bool("If a pod with the same name exists, replace it"),
  restart,
  securityOpt,
  share: flag.of(readShares, 'Namespaces to share: "net", "ipc", "uts", "pid", "none" (default "ipc,net,uts")', "list"),
  shareParent: flag.bool("Put the containers' control groups below the pod's", { initial: true }),
  shmSize,
  subgidname: refused(ONE_USERNS),
  subuidname: refused(ONE_USERNS),
  sysctl,
  uidmap: refused(ONE_USERNS),
  userns: flag.of(readUserns, 'User namespace to use ("host")', "string"),
  uts,
  volume,
  volumesFrom: refused("mounts are given to a pod one by one", "--volume SOURCE:TARGET"),
}

function readShares(text: string): readonly SharedNamespace[] {
  const words = text.split(",").filter(Boolean)
  if (words.length === 0 || words.includes("none")) return []
  return [
    ...new Set(
      words.map((word) => {
        const kind = SHARES[word]
        if (kind === undefined)
          throw new InvalidArgument(`cannot share the ${word} namespace: valid are net, ipc, uts, pid and none`)
        return kind
      }),
    ),
  ]
}

function readUserns(text: string): "host" {
  if (text === "host" || text === "") return "host"
  throw new InvalidArgument(ONE_USERNS)
}
