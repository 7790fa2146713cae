/**
 * pasta: carries packets between the pause process's network namespace and the host, with the rights of an ordinary user.
 *
 * One for the uplink of all containers, one more for each container that publishes ports, since pasta takes its ports only
 * at start. Each makes a tap interface in the pause process's namespace and lives there without us; it is known again by its pid
 * file, whose path stands in its own argument list, so no other process can be taken for it. Only options that releases
 * from 2023 and of today both have.
 */
import { accessSync, constants, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { AlreadyExists, FailedPrecondition, hasErrno, isSkiffError, NotFound } from "../base/errors.ts"
import { log } from "../base/log.ts"
import { namesIn } from "../base/names-in.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import { findProgram } from "../sys/host.ts"
import { installCommand } from "../sys/install-command.ts"
import { isAlive, processStartTime, run, signalProcess, type Pid, type StartTime } from "../sys/process/process.ts"
import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { listAddresses, listLinks } from "../sys/net/rtnetlink.ts"
import { formatIpv4 } from "./ipv4.ts"
import { formatIpv6 } from "./ipv6.ts"
import { pastaFamilies, type PastaFamilies } from "./pasta-families.ts"
import type { PublishedPort } from "./nftables.ts"
import { DNS_FORWARDER, EGRESS_INTERFACE } from "./rootless-addresses.ts"

const SIGTERM = 15
const ENDING_MS = 2000
const ENDING_POLL_MS = 3

/** Link-local addresses: no host routes them, and the rest of that range still leaves by the default route. */
const OUTSIDE = { interface: EGRESS_INTERFACE, address: "169.254.1.2", gateway: "169.254.1.1" }
/** The same of IPv6: a link's address for the gateway; one with which something may be sent further must not be of a link. */
const OUTSIDE6 = { address: "fd73:6b69:6666:1::2", gateway: "fe80::1" }

/** Where pasta connects, and where its pid is kept. */
export interface PastaDeps {
  /** Directory for pid files. */
  directory: string
  /** Path of the pause process's namespace. */
  netns: string
}

/**
 * Starts the uplink unless it is there. On a host without any network it is left out, with a warning: containers still reach each
 * other, and the next start tries again. Throws FailedPrecondition with the repair.
 */
export async function startEgress(deps: PastaDeps): Promise<void> {
  // named by the namespace: the one of a dead pause process is of no use to the next
  const pidFile = `${deps.directory}/egress-${statSync(deps.netns).ino}.pid`
  if (pastaPid(pidFile) !== undefined) return
  try {
    const options = words(`--config-net -I ${OUTSIDE.interface} -a ${OUTSIDE.address} -n 24 -t none -u none`)
    await runInside(deps, pidFile, options, OUTSIDE6.address)
  } catch (error) {
    if (!(isSkiffError(error) && error.data.noNetwork === true)) throw error
    log.warn("this host has no network: containers reach each other, and nothing else")
  }
}

/** A publishing container's own interface in the pause process's namespace. */
export interface Tap {
  number: number
  interface: string
  address: number
  address6: bigint
}

/** Binds the ports on the host, and leads them to the tap. Gives whether it has IPv6. Throws AlreadyExists when one is taken. */
export async function startPorts(
  deps: PastaDeps,
  containerId: string,
  tap: Tap,
  ports: readonly PublishedPort[],
): Promise<PastaFamilies> {
  const forwards = ports.flatMap(({ protocol, hostAddress, hostPort, innerPort }) => [
    protocol === "udp" ? "-u" : "-t",
    `${hostAddress === "" ? "" : `${hostAddress}/`}${hostPort}:${innerPort}`,
  ])
  for (const [protocol, option] of [
    ["tcp", "-t"],
    ["udp", "-u"],
  ] as const)
    if (!ports.some((port) => port.protocol === protocol)) forwards.push(option, "none")
  const pidFile = portsPidFile(deps, containerId)
  stop(pidFile)
  const options = words(`-I ${tap.interface} -a ${formatIpv4(tap.address)} -n 32`)
  return await runInside(deps, pidFile, [...options, ...forwards], formatIpv6(tap.address6))
}

/** Names that stand for something other than a container: `v` and digits. Those are nobody's to sweep. */
export const virtualName = (number: number, digest: string): string => `v${number.toString(16)}-${digest}`

/** Of these, what was started at some time and not stopped since. */
export function virtualWays(deps: PastaDeps): { name: string; number: number }[] {
  return namesIn(deps.directory).flatMap((name) => {
    const [, own, number] = /^ports-(v([0-9a-f]+)-[0-9a-f]+)\.pid$/.exec(name) ?? []
    return own === undefined || number === undefined ? [] : [{ name: own, number: Number.parseInt(number, 16) }]
  })
}

/** Whether the container's pasta runs. */
export function carriesPorts(deps: PastaDeps, containerId: string): boolean {
  return pastaPid(portsPidFile(deps, containerId)) !== undefined
}

/** Safe to repeat. */
export function stopPorts(deps: PastaDeps, containerId: string): void {
  stop(portsPidFile(deps, containerId))
}

/** The same, and waits for the end: its ports and its tap are free then. */
export async function endPorts(deps: PastaDeps, containerId: string): Promise<void> {
  const pid = pastaPid(portsPidFile(deps, containerId))
  const startTime = pid === undefined ? undefined : processStartTime(pid)
  stopPorts(deps, containerId)
  if (pid === undefined || startTime === undefined) return
  for (let waitedMs = 0; waitedMs < ENDING_MS && isAlive(pid, startTime); waitedMs += ENDING_POLL_MS)
    await sleep(ENDING_POLL_MS)
}

/** Ends the one that wrote this file. Safe to repeat. */
export function stopPasta(pidFile: string): void {
  stop(pidFile)
}

/** Ends the uplink, those of dead pause processes too. Safe to repeat. */
export function stopEgress(deps: PastaDeps): void {
  for (const name of namesIn(deps.directory)) if (/^egress-\d+\.pid$/.test(name)) stop(`${deps.directory}/${name}`)
}

function stop(pidFile: string): void {
  const pid = pastaPid(pidFile)
  const startTime = pid === undefined ? undefined : processStartTime(pid)
  if (pid !== undefined && startTime !== undefined && pastaPid(pidFile) === pid) {
    writeFileSync(`${dirname(pidFile)}/leaving-${pid}-${startTime}`, "", { mode: 0o600 })
    signalProcess(pid, startTime, SIGTERM)
  }
  rmSync(pidFile, { force: true })
}

/** Whether one that was told to end has not yet: until then its ports are taken. */
export function isPastaLeaving({ directory }: PastaDeps): boolean {
  return namesIn(directory).some((name) => {
    const [, pid, startTime] = /^leaving-(\d+)-(\d+)$/.exec(name) ?? []
    if (pid === undefined || startTime === undefined) return false
    if (isAlive(Number(pid) as Pid, Number(startTime) as StartTime)) return true
    rmSync(`${directory}/${name}`, { force: true })
    return false
  })
}

/** Containers whose pasta was started at some time and not stopped since. */
export function containersWithPorts(deps: PastaDeps): string[] {
  return namesIn(deps.directory).flatMap((name) => /^ports-([0-9a-f]+)\.pid$/.exec(name)?.[1] ?? [])
}

function portsPidFile(deps: PastaDeps, containerId: string): string {
  return `${deps.directory}/ports-${containerId}.pid`
}

/** Options without blanks in their values. */
const words = (text: string, separator = " "): string[] => text.split(separator)

/**
 * Of those into the pause process's namespace. No mapping of the gateway: a container must not reach what listens on the host's loopback
 * only.
 */
const COMMON = words("--no-map-gw,-T,none,-U,none,-g", ",").concat(OUTSIDE.gateway, "--dns-forward", DNS_FORWARDER)

/** Into the pause process's namespace, which has `address6` where pasta has IPv6. */
async function runInside(
  { netns }: PastaDeps,
  pidFile: string,
  options: readonly string[],
  address6: string,
): Promise<PastaFamilies> {
  const families = pastaFamilies()
  const own6 = families.hasIpv6 ? ["-a", address6, "-g", OUTSIDE6.gateway] : []
  await runPasta(pidFile, netns, [...COMMON, ...families.options, ...own6, ...options])
  return families
}

/** Connects the namespace at `netns` as these words say. Some 30 ms, in which this process goes on with other things. Throws as `startPorts`. */
export async function runPasta(pidFile: string, netns: string, options: readonly string[]): Promise<void> {
  try {
    await startOnce(pidFile, netns, options)
  } catch (error) {
    // pasta looks for an interface with a default route, and an older one takes no for an answer; any with an address will do
    const other = isSkiffError(error) && error.data.noNetwork === true ? anyInterface() : undefined
    if (other === undefined) throw error
    await startOnce(pidFile, netns, ["-i", other, ...options])
  }
}

/** One of the host that is up and has an address, but for the loopback. */
function anyInterface(): string | undefined {
  using route = new NetlinkSocket(openNetlink(NETLINK_ROUTE))
  const addressed = new Set(listAddresses(route).map(({ interfaceIndex }) => interfaceIndex))
  return listLinks(route).find(({ index, name, up }) => up && name !== "lo" && addressed.has(index))?.name
}

async function startOnce(pidFile: string, netns: string, options: readonly string[]): Promise<void> {
  const pasta = findProgram("pasta")
  if (pasta === undefined)
    throw new NotFound("pasta is not installed: it connects the containers of an ordinary user to the host's network", {
      hint: installCommand({ debian: "passt" }, true),
    })
  checkTunDevice()
  mkdirSync(dirname(pidFile), { recursive: true, mode: 0o700 })
  const { code, stderr } = await run([
    pasta,
    "-q",
    // started by real root it would become nobody, and may bind no port below 1024
    ...(isRealRoot() ? ["--runas", "0"] : []),
    "--netns",
    netns,
    "-P",
    pidFile,
    ...options,
  ])
  if (code === 0) return
  rmSync(pidFile, { force: true })
  const reason = stderr.split("\n").findLast((line) => line !== "" && !line.includes("syslog")) ?? `exit code ${code}`
  const ports = /Failed to bind.*for '-[tu] ([^']*)'/.exec(stderr)?.[1]
  if (ports !== undefined)
    throw new AlreadyExists(`cannot publish ${ports}: address already in use by a program of the host`, {
      field: "ports",
      hint: `see which: ss -lntup`,
    })
  const twice = /Overlapping port specifier (\S+)/.exec(stderr)?.[1]
  if (twice !== undefined)
    throw new FailedPrecondition(`cannot publish ${twice}: this pasta takes each port of the host once`, {
      field: "ports",
      hint: "publish it on one address, or on all of them; newer releases of pasta take several",
    })
  if (/External interface not usable|No external routable interface/.test(stderr))
    throw new FailedPrecondition("no port can be published: this host has no network interface with an address", {
      field: "ports",
      data: { noNetwork: true },
      cause: new Error(stderr),
    })
  throw new FailedPrecondition(`pasta could not connect the containers to the host's network: ${reason}`, {
    hint: { do: "diagnose" },
    cause: new Error(stderr),
  })
}

function isRealRoot(): boolean {
  return process.getuid?.() === 0 && rootlessUid() === undefined
}

function checkTunDevice(): void {
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK)
  } catch (cause) {
    const missing = hasErrno(cause, "ENOENT")
    throw new FailedPrecondition(`/dev/net/tun ${missing ? "is missing" : "may not be opened by an ordinary user"}`, {
      hint: missing ? "sudo modprobe tun" : "sudo chmod 0666 /dev/net/tun",
      cause,
    })
  }
}

/** The pid of the pasta that wrote this file, if it still runs. */
function pastaPid(pidFile: string): Pid | undefined {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"))
    if (!Number.isSafeInteger(pid) || pid <= 1) return undefined
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
    return argv.includes(pidFile) ? (pid as Pid) : undefined
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ESRCH")) return undefined
    throw error
  }
}
