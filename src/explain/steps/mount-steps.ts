import { existsSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import type { OciConfig, OciMount } from "../../spec/oci-runtime.ts"
import { mountTable } from "../live/mount-table.ts"
import { shellLine, shellWord } from "./shell-words.ts"
import type { ExplainedStep } from "./step.ts"

/** Words that a runtime knows and mount(8) does not, or that a private tree has already. */
const NOT_FOR_MOUNT = new Set(["rprivate", "private", "tmpcopyup", "idmap", "ridmap", "copy-symlink"])
const PROPAGATION = new Set(["shared", "rshared", "slave", "rslave", "unbindable", "runbindable"])

/** All file systems of `config.mounts`, inside the new mount namespace. */
export function mountStep(config: OciConfig): ExplainedStep {
  const { path: root } = config.root
  return {
    key: "mounts",
    values: { count: config.mounts.length, targets: config.mounts.map(({ destination }) => destination).join(" ") },
    shell: config.mounts.flatMap((mount) => mountLines(root, mount)),
  }
}

function mountLines(root: string, mount: OciMount): string[] {
  const { destination, type = "none", source = type, options = [] } = mount
  const target = join(root, destination)
  if (type === "cgroup") return cgroupLines(target, options)
  const isBind = options.some((one) => one === "bind" || one === "rbind") || type === "bind"
  const words = options
    .filter((one) => !NOT_FOR_MOUNT.has(one) && !PROPAGATION.has(one))
    .map((one) => (one === "rro" ? "ro=recursive" : one))
  const propagation = options.filter((one) => PROPAGATION.has(one))
  const isFile = isBind && existsSync(source) && !statSync(source).isDirectory()
  const o = words.length === 0 ? [] : ["-o", words.join(",")]
  return [
    isFile
      ? `inside mkdir -p ${shellWord(dirname(target))} && inside touch ${shellWord(target)}`
      : `inside ${shellLine("mkdir", "-p", target)}`,
    isBind
      ? `inside ${shellLine("mount", ...(o.length === 0 ? ["--bind"] : o), source, target)}`
      : `inside ${shellLine("mount", "-t", type, ...o, source, target)}`,
    ...propagation.map((one) => `inside ${shellLine("mount", `--make-${one}`, target)}`),
  ]
}

/** v2 has one hierarchy; of v1 each is mounted, on a directory of its own. */
function cgroupLines(target: string, options: readonly string[]): string[] {
  const flags = options.filter((one) => !NOT_FOR_MOUNT.has(one)).join(",")
  const host = mountTable("self").filter(({ target: at }) => at.startsWith("/sys/fs/cgroup"))
  const hierarchies = [
    ...new Map(host.filter(({ type }) => type === "cgroup").map((one) => [one.target, one])).values(),
  ]
  const make = `inside ${shellLine("mkdir", "-p", target)}`
  if (hierarchies.length === 0)
    return [make, `inside ${shellLine("mount", "-t", "cgroup2", "-o", flags, "cgroup", target)}`]
  return [
    make,
    `inside ${shellLine("mount", "-t", "tmpfs", "-o", "nosuid,noexec,nodev,mode=755,size=1m", "cgroup", target)}`,
    ...hierarchies.flatMap(({ target: at, superOptions }) => {
      const own = join(target, at.slice("/sys/fs/cgroup".length))
      const named = superOptions.find((one) => one.startsWith("name="))
      const which =
        named === undefined ? superOptions.filter((one) => /^[a-z_]+$/.test(one)).join(",") : `none,${named}`
      return [
        `inside ${shellLine("mkdir", "-p", own)}`,
        `inside ${shellLine("mount", "-t", "cgroup", "-o", `${flags},${which}`, "cgroup", own)}`,
      ]
    }),
  ]
}

const DEVICES = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
] as const
const LINKS = [
  ["/proc/self/fd", "fd"],
  ["/proc/self/fd/0", "stdin"],
  ["/proc/self/fd/1", "stdout"],
  ["/proc/self/fd/2", "stderr"],
  ["/proc/kcore", "core"],
  ["pts/ptmx", "ptmx"],
] as const

/** config-linux.md#default-devices, and those that were asked for. A user namespace may make none: the host's are bound. */
export function deviceStep(config: OciConfig, isRootless: boolean): ExplainedStep {
  const dev = join(config.root.path, "dev")
  const own = config.linux.devices ?? []
  const node = (name: string, type: string, major: number, minor: number, mode = 0o666): string =>
    isRootless
      ? `inside ${shellLine("touch", join(dev, name))} && inside ${shellLine("mount", "--bind", `/dev/${name}`, join(dev, name))}`
      : `inside ${shellLine("mknod", "-m", mode.toString(8), join(dev, name), type, major, minor)}`
  return {
    key: "devices",
    values: {
      count: DEVICES.length + own.length,
      names: [...DEVICES.map(([name]) => name), ...own.map(({ path }) => path)].join(" "),
    },
    shell: [
      ...DEVICES.map(([name, major, minor]) => node(name, "c", major, minor)),
      ...own.map(({ path, type, major = 0, minor = 0, fileMode }) =>
        node(path.replace(/^\/dev\//, ""), type, major, minor, fileMode),
      ),
      ...LINKS.map(([to, name]) => `inside ${shellLine("ln", "-sf", to, join(dev, name))}`),
    ],
  }
}

/** Paths that tell of the host are hidden, others are made read-only: the kernel has no namespace for them. */
export function maskStep(config: OciConfig): ExplainedStep {
  const { path: root, readonly = false } = config.root
  const { maskedPaths = [], readonlyPaths = [] } = config.linux
  // the files of /proc and /sys are the same on both sides
  const masked = maskedPaths.filter(existsSync)
  const fixed = readonlyPaths.filter(existsSync)
  return {
    key: "masks",
    values: { masked: masked.length, readonly: fixed.length },
    shell: [
      ...fixed.map((path) => readOnlyLine(join(root, path))),
      ...masked.map((path) =>
        statSync(path).isDirectory()
          ? `inside ${shellLine("mount", "-t", "tmpfs", "-o", "ro,size=0k", "tmpfs", join(root, path))}`
          : `inside ${shellLine("mount", "-o", "bind,ro", "/dev/null", join(root, path))}`,
      ),
      ...(readonly ? [`inside ${shellLine("mount", "-o", "remount,bind,ro", root)}`] : []),
    ],
  }
}

function readOnlyLine(path: string): string {
  const word = shellWord(path)
  return `inside test ! -e ${word} || { inside mount --rbind ${word} ${word} && inside mount -o remount,bind,ro ${word}; }`
}
