import { readFileSync, statfsSync } from "node:fs"
import { arch, availableParallelism, release, totalmem } from "node:os"
import type { Node, NodeStatus } from "kubernetes-types/core/v1"
import { VERSION } from "../../../base/version.ts"
import type { Images } from "../../../image/image.ts"
import { LEVEL } from "../../api/discovery.ts"
import type { Cluster } from "../../controllers/cluster.ts"
import type { Controller } from "../../controllers/controller.ts"
import { timestamp } from "../../controllers/times.ts"
import { hostAddresses } from "./host-addresses.ts"

const MAX_PODS = 1_000
const MAX_IMAGES = 50
const AGAIN_MS = 300_000
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  arm64: "arm64",
  riscv64: "riscv64",
  ppc64: "ppc64le",
  s390x: "s390x",
}

export interface NodeObjectDeps {
  cluster: Cluster
  images: Images
  root: string
  nodeName: string
}

/** Keeps the Node that is this machine. */
export function nodeObject({ cluster, images, root, nodeName }: NodeObjectDeps): Controller {
  const startedAt = Date.now()
  return {
    name: "node",
    *keysOf({ resource, object, type }) {
      if (resource === "nodes" && object.metadata.name === nodeName && type === "DELETED") yield nodeName
      // where there is anything at all, there is a node
      if (resource === "namespaces" && object.metadata.name === "default" && type === "ADDED") yield nodeName
    },
    reconcile() {
      const node =
        cluster.find<Node>("nodes", nodeName) ??
        cluster.create<Node>("nodes", {
          apiVersion: "v1",
          kind: "Node",
          metadata: { name: nodeName, labels: labelsOf(nodeName) },
          spec: {},
        })
      cluster.patchStatus<Node>("nodes", node, ({ status }) => nodeStatus(status))
      return AGAIN_MS
    },
  }

  function nodeStatus(before: NodeStatus | undefined): NodeStatus {
    const { blocks, bsize } = statfsSync(root)
    const capacity = {
      cpu: String(availableParallelism()),
      "ephemeral-storage": `${Math.floor((blocks * bsize) / 1024)}Ki`,
      memory: `${Math.floor(totalmem() / 1024)}Ki`,
      pods: String(MAX_PODS),
    }
    return {
      ...before,
      capacity,
      allocatable: capacity,
      conditions: CONDITIONS.map(([type, status, reason, message]) => ({
        type,
        status,
        reason,
        message,
        lastHeartbeatTime: timestamp(Date.now()),
        lastTransitionTime:
          before?.conditions?.find((one) => one.type === type)?.lastTransitionTime ?? timestamp(startedAt),
      })),
      addresses: [
        ...hostAddresses().map((address) => ({ type: "InternalIP", address })),
        { type: "Hostname", address: nodeName },
      ],
      nodeInfo: {
        machineID: firstLine("/etc/machine-id"),
        systemUUID: firstLine("/etc/machine-id"),
        bootID: firstLine("/proc/sys/kernel/random/boot_id"),
        kernelVersion: release(),
        osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(text("/etc/os-release"))?.[1] ?? "Linux",
        containerRuntimeVersion: `skiff://${VERSION}`,
        kubeletVersion: LEVEL.gitVersion,
        kubeProxyVersion: LEVEL.gitVersion,
        operatingSystem: "linux",
        architecture: ARCHITECTURES[arch()] ?? arch(),
      },
      images: images
        .list()
        .slice(0, MAX_IMAGES)
        .map((image) => ({ names: [...image.repoDigests, ...image.tags], sizeBytes: image.sizeBytes })),
    }
  }
}

const CONDITIONS = [
  ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
  ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
  ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
  ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
] as const

function labelsOf(nodeName: string): Record<string, string> {
  const architecture = ARCHITECTURES[arch()] ?? arch()
  return {
    "beta.kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": architecture,
    "kubernetes.io/hostname": nodeName,
    "kubernetes.io/os": "linux",
    "node-role.kubernetes.io/control-plane": "",
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

const firstLine = (path: string): string => text(path).split("\n", 1)[0] ?? ""
