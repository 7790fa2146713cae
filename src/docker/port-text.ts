import type { Container } from "../container/container.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"

type PortRow = Pick<PortMapping, "protocol" | "containerPort"> & { hostAddress?: string; hostPort?: number }

/** The PORTS column: `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp`, runs of ports as a range, exposed ones bare. */
export function describePorts(container: Container): string {
  if (!isUp(container)) return ""
  const published = portsByFamily(container)
  return formatPorts([...published, ...exposedPorts(container, published)])
}

/** The same as podman has it: a port on all addresses once, and exposed ones last. */
export function describePodmanPorts(container: Container): string {
  if (!isUp(container)) return ""
  const published = publishedPorts(container)
  const parts = [formatPorts(published), formatPorts(exposedPorts(container, published))]
  return parts.filter((part) => part !== "").join(", ")
}

/** What is exposed and not published. */
function exposedPorts(container: Container, published: readonly PortRow[]): PortRow[] {
  return container.options.expose
    .map(parseExposed)
    .filter(
      ({ containerPort, protocol }) =>
        !published.some((one) => one.containerPort === containerPort && one.protocol === protocol),
    )
}

function isUp({ state }: Pick<Container, "state">): boolean {
  return state.status === "running" || state.status === "paused"
}

/** The networks that a container is on, by itself or with its sandbox. */
export function attachmentsOf({
  attachments,
  sandboxAttachments = [],
}: Pick<Container, "attachments" | "sandboxAttachments">): Container["attachments"] {
  return sandboxAttachments.length === 0 ? attachments : [...attachments, ...sandboxAttachments]
}

/** Names of the networks that it is on when it runs, in order. */
export function networkNames({ attachments }: Pick<Container, "attachments">): string[] {
  return attachments.map(({ network }) => network)
}

/** What the networks that are joined publish, or its own pasta. */
export function publishedPorts(
  container: Pick<Container, "attachments" | "sandboxAttachments" | "options" | "state">,
): PortMapping[] {
  const { options } = container
  if (options.network.kind === "pasta") return isUp(container) ? [...options.ports] : []
  return attachmentsOf(container).flatMap(({ endpoint }) => endpoint?.ports ?? [])
}

/**
 * The same as docker tells it: a port on all addresses is one of IPv4 and, where the container has an address of IPv6 that it leads to,
 * one of IPv6. Each names its address.
 */
export function portsByFamily(container: Parameters<typeof publishedPorts>[0]): PortMapping[] {
  if (container.options.network.kind === "pasta") return publishedPorts(container).flatMap((port) => eachFamily(port))
  return attachmentsOf(container).flatMap(({ endpoint }) =>
    (endpoint?.ports ?? []).flatMap((port) => eachFamily(port, endpoint?.address6)),
  )
}

function eachFamily(port: PortMapping, address6 = ""): PortMapping[] {
  if (port.hostAddress !== undefined) return [port]
  const families = address6 === "" ? ["0.0.0.0"] : ["0.0.0.0", "::"]
  return families.map((hostAddress) => Object.assign({}, port, { hostAddress }))
}

/** As docker does: ports that are the same inside and out join to ranges, others stand alone, after them. */
export function formatPorts(ports: readonly PortRow[]): string {
  const sorted = ports.toSorted(comparePorts)
  const ranges = new Map<string, { first: number; last: number }[]>()
  const alone: string[] = []
  for (const { protocol, containerPort, hostPort, hostAddress } of sorted) {
    const address = shownAddress(hostAddress)
    if (hostPort !== undefined && hostPort !== containerPort) {
      alone.push(`${address}:${hostPort}->${containerPort}/${protocol}`)
      continue
    }
    const key = hostPort === undefined ? protocol : `${address}/${protocol}`
    const known = ranges.get(key) ?? []
    const last = known.at(-1)
    if (last && (last.last + 1 === containerPort || last.last === containerPort)) last.last = containerPort
    else known.push({ first: containerPort, last: containerPort })
    ranges.set(key, known)
  }
  const joined = [...ranges].flatMap(([key, known]) => known.map((range) => formatRange(key, range)))
  return [...joined, ...alone].join(", ")
}

/** `0.0.0.0:8080`, as `port` prints a host's end. */
export function formatHostEnd({ hostAddress, hostPort }: PortMapping): string {
  return `${shownAddress(hostAddress)}:${hostPort}`
}

function formatRange(key: string, { first, last }: { first: number; last: number }): string {
  const span = first === last ? String(first) : `${first}-${last}`
  const [address, protocol] = key.includes("/") ? key.split("/") : [undefined, key]
  return address === undefined ? `${span}/${protocol}` : `${address}:${span}->${span}/${protocol}`
}

function shownAddress(address = "0.0.0.0"): string {
  return address.includes(":") ? `[${address}]` : address
}

function parseExposed(text: string): PortRow {
  const [port = "", protocol = "tcp"] = text.split("/")
  return { containerPort: Number(port), protocol: protocol as PortRow["protocol"] }
}

/** By its bytes, so that 0.0.0.0 goes before ::. */
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function comparePorts(a: PortRow, b: PortRow): number {
  return (
    a.containerPort - b.containerPort ||
    byText(a.hostAddress ?? "", b.hostAddress ?? "") ||
    (a.hostPort ?? 0) - (b.hostPort ?? 0) ||
    a.protocol.localeCompare(b.protocol)
  )
}
