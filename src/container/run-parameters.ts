import { InvalidArgument } from "../base/errors.ts"
import { shortId } from "../base/short-id.ts"
import { checkPortCount, type PortMapping, type Protocol } from "../spec/docker/port-mapping.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import { parseSignal, signalName } from "../sys/process/signals.ts"
import type { ContainerId, ResolvedOptions, RunParameters } from "./container.ts"
import { mergeHealthcheck } from "./health/plan.ts"
import { environment } from "./identity/environment.ts"
import { isSystemd, SYSTEMD_STOP_SIGNAL, SYSTEMD_VARIABLE } from "./identity/systemd.ts"

const DEFAULT_STOP_TIMEOUT_SECONDS = 10
const HOSTNAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,62})$/

/**
 * Merges what the image says with what the user asks, by docker's rules. Pure. Throws InvalidArgument.
 * Nothing of the image but the fields read here has any effect: labels and annotations never become settings.
 */
export function runParameters(id: ContainerId, image: ImageRunConfig, options: ResolvedOptions): RunParameters {
  const { entrypoint, command } = words(image, options)
  const hostname = options.hostname ?? shortId(id)
  if (!HOSTNAME.test(hostname))
    throw new InvalidArgument(`invalid hostname "${hostname.slice(0, 100)}"`, {
      hint: "a host name has letters, digits, `-`, `_` and `.`, at most 63",
    })
  const isInit = isSystemd(options.tree, [...entrypoint, ...command])
  const stopSignal = options.stopSignal ?? (image.StopSignal || (isInit ? SYSTEMD_STOP_SIGNAL : "SIGTERM"))
  const exposedPorts = allPorts([...Object.keys(image.ExposedPorts ?? {}), ...options.expose])
  return {
    entrypoint,
    command,
    env: environment({
      image: image.Env ?? [],
      own: options.env,
      hostname,
      tty: options.tty,
      more: options.environment,
      extra: isInit ? [SYSTEMD_VARIABLE] : [],
    }),
    workdir: workingDirectory(options.workdir ?? (image.WorkingDir || "/")),
    user: options.user ?? image.User ?? "",
    labels: { ...ownLabels(image.Labels), ...options.labels },
    stopSignal: signalName(parseSignal(stopSignal)),
    stopTimeoutSeconds: options.stopTimeoutSeconds ?? image.StopTimeout ?? DEFAULT_STOP_TIMEOUT_SECONDS,
    hostname,
    exposedPorts,
    ports: publishedPorts(options, exposedPorts),
    volumes: Object.keys(image.Volumes ?? {}),
    ...healthOf(image, options),
  }
}

/** By which compose and the node agent of a cluster know their containers. */
const OWNERS = /^(?:com\.docker\.compose\.|io\.skiff\.|io\.kubernetes\.(?:pod|container)\.)/

/** Without those that say whose a container is: he would stop, remove, enter and send files to what an image says is his. */
function ownLabels(labels: ImageRunConfig["Labels"]): Record<string, string> {
  return Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => !OWNERS.test(name)))
}

/** With the shell that a `CMD-SHELL` is for, where the image names one. */
function healthOf(image: ImageRunConfig, options: ResolvedOptions): Pick<RunParameters, "healthcheck" | "shell"> {
  const healthcheck = mergeHealthcheck(image.Healthcheck, options.health)
  const { onFailure } = options.health ?? {}
  if (onFailure !== undefined && (healthcheck?.Test ?? []).length === 0)
    throw new InvalidArgument(`cannot set on-failure action to ${onFailure} without a health check`, {
      field: "health.test",
    })
  if (healthcheck === undefined) return {}
  return { healthcheck, ...(image.Shell?.length ? { shell: image.Shell } : {}) }
}

/** The image's command belongs to the image's entrypoint: another entrypoint drops it, another command keeps the entrypoint. */
function words(image: ImageRunConfig, options: ResolvedOptions): Pick<RunParameters, "entrypoint" | "command"> {
  const entrypoint = options.entrypoint ?? image.Entrypoint ?? []
  const given = options.command ?? []
  const command = given.length > 0 || options.entrypoint !== undefined ? given : (image.Cmd ?? [])
  if (entrypoint.length + command.length === 0)
    throw new InvalidArgument("no command specified", {
      hint: "the image has no command: give one after the image",
      field: "command",
    })
  for (const word of [...entrypoint, ...command])
    if (word.includes("\0")) throw new InvalidArgument("an argument of the command contains a NUL byte")
  return { entrypoint, command }
}

function workingDirectory(text: string): string {
  if (!text.startsWith("/") || text.includes("\0"))
    throw new InvalidArgument(`the working directory "${text}" is invalid`, { hint: "it must be an absolute path" })
  return text
}

/** The user's, then with `--publish-all` each exposed one that is not among them. */
function publishedPorts(options: ResolvedOptions, exposed: readonly string[]): PortMapping[] {
  checkPortCount(options.ports.length)
  const given = distinct(options.ports)
  if (!options.publishAll) return given
  const published = new Set(options.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`))
  const more = exposed.filter((text) => !published.has(text))
  checkPortCount(options.ports.length + more.length)
  return [
    ...given,
    ...more.map((text) => {
      const [port = "", protocol = "tcp"] = text.split("/")
      return { protocol: protocol as Protocol, containerPort: Number(port), hostPort: 0 }
    }),
  ]
}

/** A port of the host that is said twice for one of the container is one, as podman has it. */
function distinct(ports: readonly PortMapping[]): PortMapping[] {
  const known = new Set<string>()
  return ports.filter((port) => {
    const { protocol, containerPort, hostPort, hostAddress = "", lastHostPort } = port
    if (hostPort === 0 || lastHostPort !== undefined) return true
    const key = `${hostAddress}:${hostPort}:${containerPort}/${protocol}`
    if (known.has(key)) return false
    known.add(key)
    return true
  })
}

/** Each once, in the order given. Counted as they are added: ten thousand full ranges are refused at the fourth. */
function allPorts(texts: readonly string[]): string[] {
  const ports = new Set<string>()
  let count = 0
  for (const text of texts) {
    const { first, last, protocol } = parseRange(text)
    count += last - first + 1
    checkPortCount(count)
    for (let port = first; port <= last; port++) ports.add(`${port}/${protocol}`)
  }
  return [...ports]
}

/** `80`, `53/udp`, `8000-8010/tcp`. Throws InvalidArgument. */
function parseRange(text: string): { first: number; last: number; protocol: string } {
  const [, from = "", to = from, protocol = "tcp"] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (from === "" || first < 1 || last > 65535 || last < first)
    throw new InvalidArgument(`invalid exposed port "${text.slice(0, 50)}"`, {
      hint: "expected PORT[-PORT][/tcp|udp|sctp]",
    })
  return { first, last, protocol: protocol.toLowerCase() }
}
