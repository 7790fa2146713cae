/**
 * Namespaces that are on no network, and have the host's own addresses by a pasta of their own: podman's mode `pasta`. It forwards
 * published ports itself, and ends with the container. Nothing of it is in the records: its pid file names the container.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import type { Database } from "../base/database.ts"
import { FailedPrecondition, InvalidArgument } from "../base/errors.ts"
import { namesIn } from "../base/names-in.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import { MountFlag, mountAt, unmountAll } from "../sys/fs/mount.ts"
import { claimPorts, letGo } from "./claim-ports.ts"
import type { PastaNamespace, PastaNamespaces } from "./network.ts"
import { runPasta, stopPasta } from "./pasta.ts"
import { EndpointRecords, isHeld, type EndpointRow } from "./records.ts"
import { DNS_FORWARDER } from "./rootless-addresses.ts"

/** What such namespaces stand on. */
export interface PastaNamespacesDeps {
  db: Database
  runRoot: string
  /** Root's containers have what is faster, and pasta none of root's rights to lose. */
  isRoot: boolean
}

/** Where we say what pasta is to do, and how it is found again. */
const OURS = new Set(
  ["-P", "--pid", "--netns", "--userns", "--netns-only", "--runas", "-f", "--foreground", "-F", "--fd"].concat([
    "-h",
    "--help",
    "--version",
    "-s",
    "--socket",
    "--vhost-user",
    "-1",
    "--one-off",
  ]),
)

export function openPastaNamespaces({ db, runRoot, isRoot }: PastaNamespacesDeps): PastaNamespaces {
  return {
    plan(options, ports) {
      if (isRoot)
        throw new FailedPrecondition("the network mode pasta is for containers of an ordinary user", {
          field: "network",
          hint: "leave it out: root's containers have interfaces of the kernel's, which are faster",
        })
      checkOptions(options)
      return ports.map((port) => (port.hostPort === 0 || port.lastHostPort !== undefined ? free(db, port) : port))
    },
    async connect(namespace) {
      letGo(claim(db, namespace.containerId, namespace.ports))
      using netns = showNamespace(netnsFile(runRoot, namespace.containerId), namespace.netns)
      await runPasta(pidFile(runRoot, namespace.containerId), netns.path, ["--no-netns-quit", ...pastaWords(namespace)])
    },
    disconnect(containerId) {
      stopPasta(pidFile(runRoot, containerId))
      hideNamespace(netnsFile(runRoot, containerId))
    },
  }
}

/** Ends those of containers that are no more. Safe to repeat. */
export function sweepPastaNamespaces(runRoot: string, alive: ReadonlySet<string>): void {
  for (const name of namesIn(`${runRoot}/network`)) {
    const id = /^namespace-([0-9a-f]+)\.(?:pid|netns)$/.exec(name)?.[1]
    if (id === undefined || alive.has(id)) continue
    stopPasta(pidFile(runRoot, id))
    hideNamespace(netnsFile(runRoot, id))
  }
}

/** pasta has given its rights up by the time that it opens the namespace: in /proc it may not, and by a file of ours it may. */
function showNamespace(path: string, netns: string): Disposable & { path: string } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, "", { mode: 0o600 })
  mountAt(path, { type: "none", source: netns, data: [], flags: MountFlag.bind })
  return { path, [Symbol.dispose]: () => hideNamespace(path) }
}

function hideNamespace(path: string): void {
  if (!existsSync(path)) return
  unmountAll(path)
  rmSync(path, { force: true })
}

function netnsFile(runRoot: string, containerId: string): string {
  return `${runRoot}/network/namespace-${containerId}.netns`
}

function pidFile(runRoot: string, containerId: string): string {
  return `${runRoot}/network/namespace-${containerId}.pid`
}

/** As podman gives them: what the caller says wins. */
export function pastaWords({ options, ports }: Pick<PastaNamespace, "options" | "ports">): string[] {
  const said = (...names: string[]): boolean =>
    options.some((option) => names.some((name) => option === name || option.startsWith(`${name}=`)))
  const none = [
    ["-t", "--tcp-ports", ports.some(({ protocol }) => protocol === "tcp")],
    ["-u", "--udp-ports", ports.some(({ protocol }) => protocol === "udp")],
    ["-T", "--tcp-ns", false],
    ["-U", "--udp-ns", false],
  ] as const
  return [
    "--config-net",
    // without its own word for it, a container would reach by the gateway what listens on the host's loopback alone
    ...(options.includes("--map-gw") ? [] : ["--no-map-gw"]),
    ...(said("--dns-forward") ? [] : ["--dns-forward", DNS_FORWARDER]),
    ...none.flatMap(([short, long, isPublished]) => (isPublished || said(short, long) ? [] : [short, "none"])),
    ...ports.flatMap(({ protocol, hostAddress, hostPort, containerPort }) => [
      protocol === "udp" ? "-u" : "-t",
      `${hostAddress === undefined ? "" : `${hostAddress}/`}${hostPort}:${containerPort}`,
    ]),
    ...options.filter((option) => option !== "--map-gw"),
  ]
}

function checkOptions(options: readonly string[]): void {
  const ours = options.find((option) => OURS.has(option.split("=")[0] ?? ""))
  if (ours !== undefined)
    throw new InvalidArgument(`the option ${ours} of pasta is the engine's to give`, { field: "network" })
}

function free(db: Database, port: PortMapping): PortMapping {
  const claimed = claim(db, "", [port])
  letGo(claimed)
  const { lastHostPort: _, ...rest } = port
  return { ...rest, hostPort: claimed[0]?.port.hostPort ?? port.hostPort }
}

/** Binds them, as those of any endpoint are, to say who has one that is taken. */
function claim(db: Database, containerId: string, ports: readonly PortMapping[]): ReturnType<typeof claimPorts> {
  const sctp = ports.find(({ protocol }) => protocol === "sctp")
  if (sctp !== undefined)
    throw new InvalidArgument(`cannot publish ${sctp.hostPort}/sctp: pasta carries TCP and UDP`, { field: "ports" })
  const records = new EndpointRecords(db)
  const nobody = { containerId, address: 0, address6: "::" } as EndpointRow
  return claimPorts(ports, nobody, {
    holder({ protocol, hostAddress, hostPort }) {
      const row = records.portHolder(protocol, hostAddress, hostPort)
      return row !== undefined && isHeld(row, () => true) ? row : undefined
    },
    innerPort: ({ hostPort }) => hostPort,
    add: () => {},
    isLeftBehind: () => false,
    containerOf: () => undefined,
    hasLoopback6: () => true,
  })
}
