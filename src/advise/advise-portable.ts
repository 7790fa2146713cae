import type { FileTree } from "../sbom/sbom.ts"
import type { ImageConfig } from "../spec/oci-image.ts"
import { linuxAbi } from "./elf-abi.ts"

/** What this host is. */
export interface HostFacts {
  /** As images name it: `amd64`. */
  architecture: string
  /** `6.1.0`. */
  kernel: string
  /** Of `binfmt_misc`: `qemu-aarch64`. */
  emulators: readonly string[]
  /** Ids that a container has here; undefined: all. */
  ids: number | undefined
  /** The lowest port that anybody may listen on. */
  lowestPort: number
}

/** One need of an image, held against a host. */
export interface Portability {
  need: string
  /** As it was found. */
  wanted: string
  host: string
  status: "ok" | "missing" | "unknown"
}

const EMULATORS: Readonly<Record<string, string>> = {
  arm64: "qemu-aarch64",
  amd64: "qemu-x86_64",
  arm: "qemu-arm",
  riscv64: "qemu-riscv64",
  ppc64le: "qemu-ppc64le",
  s390x: "qemu-s390x",
}
const MAX_BINARY_BYTES = 64 * 1024 ** 2
const LIBRARIES = [
  "lib/x86_64-linux-gnu/libc.so.6",
  "lib/aarch64-linux-gnu/libc.so.6",
  "lib64/libc.so.6",
  "usr/lib/libc.so.6",
  "lib/libc.so.6",
]

/** What an image needs of a host: architecture, kernel, user ids, ports, and the devices and settings that its labels name. */
export function advisePortability(config: ImageConfig, tree: FileTree | undefined, host: HostFacts): Portability[] {
  const { architecture } = config
  const emulator = EMULATORS[architecture]
  const isEmulated = emulator !== undefined && host.emulators.includes(emulator)
  return [
    {
      need: "architecture",
      wanted: `${config.os}/${architecture}`,
      host:
        isEmulated && architecture !== host.architecture ? `${host.architecture}, with ${emulator}` : host.architecture,
      status: config.os === "linux" && (architecture === host.architecture || isEmulated) ? "ok" : "missing",
    },
    kernelNeed(tree, host),
    ...idNeed(tree, host),
    ...portNeeds(config, host),
  ]
}

/** The C library's note says the oldest kernel that it runs on (LSB, `.note.ABI-tag`). */
function kernelNeed(tree: FileTree | undefined, { kernel }: HostFacts): Portability {
  for (const path of LIBRARIES) {
    const wanted = linuxAbi(tree?.read(path, MAX_BINARY_BYTES))
    if (wanted !== undefined)
      return {
        need: "kernel",
        wanted: `${wanted} or newer, by /${path}`,
        host: kernel,
        status: compare(kernel, wanted) >= 0 ? "ok" : "missing",
      }
  }
  return { need: "kernel", wanted: "not said: it has no GNU C library", host: kernel, status: "unknown" }
}

function idNeed(tree: FileTree | undefined, { ids }: HostFacts): Portability[] {
  if (tree === undefined) return []
  let most = 0
  for (const entry of tree.walk()) {
    const stat = entry.stat()
    most = Math.max(most, stat?.uid ?? 0, stat?.gid ?? 0)
  }
  return [
    {
      need: "user ids",
      wanted: `up to ${most}`,
      host: ids === undefined ? "all" : `${ids} ids`,
      status: ids === undefined || most < ids ? "ok" : "missing",
    },
  ]
}

function portNeeds({ config }: ImageConfig, { lowestPort }: HostFacts): Portability[] {
  const ports = Object.keys(config?.ExposedPorts ?? {}).map((text) => Number.parseInt(text, 10))
  const low = ports.filter((port) => port > 0 && port < lowestPort)
  if (low.length === 0) return []
  return [
    {
      need: "sysctl",
      wanted: `ports ${low.join(", ")} published as they are: net.ipv4.ip_unprivileged_port_start`,
      host: String(lowestPort),
      status: "missing",
    },
  ]
}

/** Of `6.1.0-13-amd64`: the numbers. */
function compare(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => (/^\d+(?:\.\d+)*/.exec(text)?.[0] ?? "").split(".").map(Number))
  for (let index = 0; index < 3; index++) {
    const difference = (x?.[index] ?? 0) - (y?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
