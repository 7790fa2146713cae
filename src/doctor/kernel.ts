/** The kernel: each feature is tried in throw-away namespaces where that can be done. */
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs"
import { dirname, join } from "node:path"
import { formatBinarySize } from "../base/sizes.ts"
import { accountName } from "../sys/account.ts"
import { detectCgroups } from "../sys/process/cgroup.ts"
import { findProgram, readText } from "../sys/host.ts"
import { asRoot, installCommand } from "../sys/install-command.ts"
import { run } from "../sys/process/process.ts"
import { lookAtFirewall } from "../network/firewall-check.ts"
import { kernelNames } from "../network/names.ts"
import { canOpen } from "./can-open.ts"
import { missing, notNeeded, ok, warning, type Check, type Finding, type HostProbe } from "./check.ts"

const LOW_SPACE_BYTES = 2 * 1024 ** 3
const FIRST_UNPRIVILEGED_PORT = 1024

/** What the kernel must offer, and how it is set up. */
export const kernelChecks: readonly Check[] = [
  { name: "overlay", purpose: "image layers without copying", look: lookAtOverlay },
  { name: "nftables kernel", purpose: "masquerade and published ports", look: lookAtKernelTables },
  { name: "firewall rules", purpose: "the networks of running containers", look: lookAtRules },
  { name: "user namespaces", purpose: "containers of ordinary users", look: lookAtUserNamespaces },
  { name: "cgroups", purpose: "limits on memory, CPU and processes", look: lookAtCgroups },
  { name: "/dev/net/tun", purpose: "network access for an ordinary user's containers", look: lookAtTun },
  { name: "ip_forward", purpose: "traffic from containers to other hosts", look: lookAtForwarding },
  { name: "ports", purpose: "publishing ports", look: lookAtPorts },
  { name: "boot id", purpose: "detecting reboots", look: lookAtBootId },
  { name: "disk", purpose: "disk space of the store", look: lookAtDisk },
]

/** Runs `script` in new namespaces of these kinds, as their root. */
async function tryInside(kinds: readonly string[], uid: number | undefined, script: string, ...words: string[]) {
  const user = uid === undefined ? [] : ["--user", "--map-root-user"]
  // in the rootless namespaces we are root already, and may not map again
  const inside = process.getuid?.() === 0 ? [] : user
  return await run([findProgram("unshare") ?? "unshare", ...inside, ...kinds, "/bin/sh", "-c", script, ...words])
}

async function lookAtOverlay({ paths, uid }: HostProbe): Promise<Finding> {
  const directory = mkdtempSync(join(nearestWritable(paths.root), ".skiff-doctor-"))
  try {
    for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(join(directory, name))
    const xattr = uid === undefined ? "" : ",userxattr"
    const mount = `mount -t overlay overlay -o "lowerdir=lower,upperdir=upper,workdir=work${xattr}" merged`
    // the kernel leaves a directory of mode 0 in work/, which an ordinary user cannot enter to remove it
    const script = `cd "$0" && ${mount} && : > merged/file; code=$?; umount merged 2>/dev/null; rm -rf work; exit $code`
    const { code, stderr } = await tryInside(["--mount"], uid, script, directory)
    if (code === 0) return ok(`works on ${dirname(directory)}`)
    const reason = lastLine(stderr)
    const fuse = findProgram("fuse-overlayfs")
    if (fuse !== undefined && canOpen("/dev/fuse")) return warning(`${reason}; ${fuse} is used instead, and is slower`)
    const packages = { debian: "fuse-overlayfs" }
    return warning(`${reason}; layers are copied, which takes time and space`, installCommand(packages))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The store's own file system: what can be mounted depends on it. */
function nearestWritable(path: string): string {
  let directory = path
  while (!existsSync(directory) && directory !== "/") directory = dirname(directory)
  accessSync(directory, constants.W_OK)
  return directory
}

/** As root: an ordinary user's are in a network namespace of his own, where nobody else can take them. */
function lookAtRules({ paths, uid }: HostProbe): Finding {
  if (uid !== undefined) return notNeeded("in your own network namespace")
  const { containers, hasRules } = lookAtFirewall(paths.runRoot)
  if (containers === 0) return notNeeded("no container is on the bridge")
  if (hasRules) return ok(`nftables table inet ${kernelNames(paths.runRoot, false).table}`)
  return missing(
    `missing from nftables, with the published ports of ${containers} ${containers === 1 ? "container" : "containers"}`,
    ["the next command that looks at containers restores them", { do: "listContainers" }],
  )
}

async function lookAtKernelTables({ uid }: HostProbe): Promise<Finding> {
  const nft = findProgram("nft")
  if (nft === undefined) return warning("cannot be checked without nft")
  // the same kinds of expressions as our own rules need: a module for each
  const rules = `add table inet t
add map inet t m { type inet_proto . inet_service : ipv4_addr . inet_service; }
add chain inet t c { type nat hook prerouting priority 0; }
add rule inet t c dnat ip to meta l4proto . th dport map @m
add chain inet t p { type nat hook postrouting priority 0; }
add rule inet t p ip saddr 127.0.0.0/8 masquerade
add rule inet t p fib daddr type local ct state established accept`
  const { code, stderr } = await tryInside(["--net"], uid, 'printf "%s\\n" "$1" | "$0" -f -', nft, rules)
  if (code === 0) return ok("maps, destination NAT and masquerade work")
  if (/unshare/.test(stderr)) return warning(`cannot be checked: ${lastLine(stderr)}`)
  return missing(lastLine(stderr), asRoot("modprobe -a nf_tables nft_nat nft_masq nft_fib_inet"))
}

function sysctl(name: string): string | undefined {
  return readText(`/proc/sys/${name.replaceAll(".", "/")}`)?.trim()
}

async function lookAtUserNamespaces({ uid }: HostProbe): Promise<Finding> {
  if (uid === undefined) return notNeeded("root")
  const { code, stderr } = await tryInside(["--mount"], uid, "mount -t tmpfs none /mnt")
  if (code === 0) return ok(`${sysctl("user.max_user_namespaces") ?? "?"} at most`)
  const repairs: [string, string, string][] = [
    ["kernel.unprivileged_userns_clone", "0", "1"], // Debian's own patch
    ["kernel.apparmor_restrict_unprivileged_userns", "1", "0"], // Ubuntu 24.04
    ["user.max_user_namespaces", "0", "15000"],
  ]
  const cause = repairs.find(([name, bad]) => sysctl(name) === bad)
  if (cause === undefined) return missing(lastLine(stderr))
  const [name, bad, good] = cause
  const file = "/etc/sysctl.d/90-skiff.conf"
  return missing(
    `${name} is ${bad}`,
    asRoot(`sh -c 'echo ${name}=${good} >> ${file} && sysctl -p ${file}'`, process.getuid?.() !== 0),
  )
}

function lookAtCgroups({ uid }: HostProbe): Finding {
  const { version, controllers, manager, remedy } = detectCgroups(uid)
  const found = `${version}: ${controllers.join(", ") || "no controllers"}`
  const lacks = ["memory", "cpu", "pids"].filter((name) => manager === "disabled" || !controllers.includes(name))
  if (lacks.length === 0) return ok(`${found} (managed by ${manager})`)
  const detail = `${found}; no limits on ${lacks.join(", ")}`
  if (version !== "v2" || uid === undefined) return warning(`${detail}: ${remedy}`)
  if (manager === "disabled") return warning(detail, asRoot(`loginctl enable-linger ${accountName(uid) ?? uid}`))
  const directory = "/etc/systemd/system/user@.service.d"
  const delegate = `mkdir -p ${directory} && printf "[Service]\\nDelegate=yes\\n" > ${directory}/delegate.conf`
  return warning(detail, asRoot(`sh -c '${delegate} && systemctl daemon-reload'`))
}

function lookAtTun({ uid }: HostProbe): Finding {
  if (uid === undefined) return notNeeded("root uses bridges")
  if (canOpen("/dev/net/tun")) return ok("accessible")
  if (existsSync("/dev/net/tun")) return missing("not accessible", asRoot("chmod 0666 /dev/net/tun"))
  const make = "modprobe tun; mkdir -p /dev/net && mknod -m 0666 /dev/net/tun c 10 200"
  return missing("does not exist", asRoot(`sh -c '${make}'`))
}

function lookAtForwarding({ uid }: HostProbe): Finding {
  if (uid !== undefined) return notNeeded("set in the user's own network namespace")
  const on = sysctl("net.ipv4.ip_forward") === "1"
  return ok(on ? "on" : "off; switched on with the first network")
}

function lookAtPorts({ uid }: HostProbe): Finding {
  if (uid === undefined) return ok("any")
  const first = Number(sysctl("net.ipv4.ip_unprivileged_port_start") ?? FIRST_UNPRIVILEGED_PORT)
  if (first < FIRST_UNPRIVILEGED_PORT) return ok(`${first} and up`)
  return ok(`${first} and up; for lower ones: ${asRoot("sysctl net.ipv4.ip_unprivileged_port_start=80")}`)
}

function lookAtBootId(): Finding {
  return readText("/proc/sys/kernel/random/boot_id") === undefined
    ? missing("no /proc/sys/kernel/random/boot_id: is /proc mounted?")
    : ok("readable")
}

function lookAtDisk({ paths }: HostProbe): Finding {
  let directory = paths.root
  while (!existsSync(directory) && directory !== "/") directory = dirname(directory)
  const { bavail, bsize } = statfsSync(directory)
  const free = bavail * bsize
  const detail = `${formatBinarySize(free)} free for ${paths.root}`
  return free < LOW_SPACE_BYTES ? warning(detail, { do: "freeSpace" }) : ok(detail)
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) || "no reason given"
}
