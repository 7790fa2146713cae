/** The programs of the field that skiff starts. */
import { CONMON_FLOOR } from "../runtime/monitor/monitor.ts"
import { chooseRuntime } from "../runtime/oci/choose.ts"
import { DEFAULT_PROFILE } from "../runtime/config/seccomp.ts"
import { detectCgroups } from "../sys/process/cgroup.ts"
import { findProgram, readText } from "../sys/host.ts"
import { installCommand, type Packages } from "../sys/install-command.ts"
import { missing, notNeeded, ok, warning, type Check, type Finding, type HostProbe } from "./check.ts"
import { isOlder, programVersion } from "./program-version.ts"

const PACKAGES = {
  crun: { debian: "crun" },
  runc: { debian: "runc" },
  conmon: { debian: "conmon" },
  nft: { debian: "nftables" },
  pasta: { debian: "passt" },
  catatonit: { debian: "catatonit" },
  seccomp: { debian: "golang-github-containers-common", fedora: "containers-common", arch: "containers-common" },
  utilLinux: { debian: "util-linux" },
  busybox: { debian: "busybox-static", fedora: "busybox", arch: "busybox" },
  mmdebstrap: { debian: "mmdebstrap" },
} satisfies Record<string, Packages>

/** Programs that skiff calls. */
export const programChecks: readonly Check[] = [
  { name: "runtime", purpose: "creates and starts containers", look: lookAtRuntime },
  { name: "conmon", purpose: "monitors each container and keeps its log", look: lookAtMonitor },
  { name: "seccomp", purpose: "the default seccomp profile", look: lookAtSeccomp },
  { name: "nftables", purpose: "masquerading and published ports", look: () => required("nft", PACKAGES.nft) },
  { name: "util-linux", purpose: "entering namespaces", look: lookAtUtilLinux },
  { name: "pasta", purpose: "networks of ordinary users", look: lookAtPasta },
  {
    name: "catatonit",
    purpose: "a small init process in a container",
    look: () => optional("catatonit", PACKAGES.catatonit),
  },
  { name: "busybox", purpose: "image bootstrap busybox", look: () => optional("busybox", PACKAGES.busybox) },
  { name: "mmdebstrap", purpose: "image bootstrap debian", look: () => optional("mmdebstrap", PACKAGES.mmdebstrap) },
]

async function required(program: string, packages: Packages): Promise<Finding> {
  const path = findProgram(program)
  return path === undefined ? missing("not installed", installCommand(packages)) : ok(await described(path))
}

async function optional(program: string, packages: Packages): Promise<Finding> {
  const path = findProgram(program)
  return path === undefined ? warning("not installed", installCommand(packages)) : ok(await described(path))
}

async function described(path: string): Promise<string> {
  const version = await programVersion(path)
  return version === undefined ? path : `${path} ${version}`
}

async function lookAtRuntime({ uid }: HostProbe): Promise<Finding> {
  const { name, reason } = chooseRuntime(detectCgroups(uid))
  const other = name === "crun" ? "runc" : "crun"
  const [path, otherPath] = [findProgram(name), findProgram(other)]
  if (path !== undefined) {
    const alternative = otherPath === undefined ? "" : `; also ${otherPath}`
    return ok(`${await described(path)}, ${reason}${alternative}`)
  }
  const repair = installCommand(PACKAGES[name])
  // either will do where both suit; a host that crun refuses needs runc
  if (otherPath !== undefined && name === "crun")
    return warning(`${await described(otherPath)}; crun starts containers in half the time`, repair)
  return missing(
    otherPath === undefined ? "neither crun nor runc is installed" : `${name} is needed: ${reason}`,
    repair,
  )
}

async function lookAtMonitor(): Promise<Finding> {
  const path = findProgram("conmon")
  const repair = installCommand(PACKAGES.conmon)
  if (path === undefined) return missing("not installed", repair)
  const version = await programVersion(path)
  if (version !== undefined && isOlder(version, CONMON_FLOOR))
    return missing(`${path} ${version} is older than ${CONMON_FLOOR.join(".")}`, repair)
  return ok(`${path} ${version ?? ""}`.trim())
}

function lookAtSeccomp(): Finding {
  if (readText("/proc/self/status")?.includes("\nSeccomp:") !== true)
    return missing("this kernel is built without seccomp: boot one that has it (CONFIG_SECCOMP_FILTER)")
  return readText(DEFAULT_PROFILE) === undefined
    ? missing(`no ${DEFAULT_PROFILE}`, installCommand(PACKAGES.seccomp))
    : ok(DEFAULT_PROFILE)
}

function lookAtUtilLinux(): Finding {
  const absent = ["nsenter", "unshare", "flock", "setpriv", "mount"].filter((name) => findProgram(name) === undefined)
  return absent.length === 0
    ? ok("nsenter, unshare, flock, setpriv, mount")
    : missing(`no ${absent.join(", ")}`, installCommand(PACKAGES.utilLinux))
}

async function lookAtPasta({ uid }: HostProbe): Promise<Finding> {
  if (uid === undefined) return notNeeded("root uses bridges")
  return await required("pasta", PACKAGES.pasta)
}
