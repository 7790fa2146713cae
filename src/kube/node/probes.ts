import type { Container, Probe } from "kubernetes-types/core/v1"
import type { HealthOptions, StartupCheck } from "../../container/container.ts"
import { fieldFault } from "./field-fault.ts"
import { commandOf } from "./hooks.ts"
import { requestOf, type NodeHttpGet } from "./http-get.ts"
import { portNumber } from "./ports.ts"

/** How a probe looks at a container. */
export type ProbeHandler =
  | { kind: "exec"; command: readonly string[] }
  | ({ kind: "http" } & NodeHttpGet)
  | { kind: "tcp"; host?: string; port: number }
  | { kind: "grpc"; port: number; service: string }

/** A probe with Kubernetes' defaults. */
export interface NodeProbe {
  handler: ProbeHandler
  initialDelaySeconds: number
  periodSeconds: number
  timeoutSeconds: number
  successThreshold: number
  failureThreshold: number
  terminationGracePeriodSeconds?: number
}

/** Those that a container has. */
export interface ContainerProbes {
  liveness?: NodeProbe
  readiness?: NodeProbe
  startup?: NodeProbe
}

/** Throws InvalidArgument for a number that cannot be, or a handler that says nothing. Pure. */
export function probesOf(container: Container, path: string): ContainerProbes {
  const probe = (key: "livenessProbe" | "readinessProbe" | "startupProbe"): NodeProbe | undefined => {
    const one = container[key]
    return one && hasHandler(one) ? probeOf(one, container, `${path}.${key}`) : undefined
  }
  const [liveness, readiness, startup] = [probe("livenessProbe"), probe("readinessProbe"), probe("startupProbe")]
  return { ...(liveness && { liveness }), ...(readiness && { readiness }), ...(startup && { startup }) }
}

/** One that says nothing is none, to podman. */
function hasHandler({ exec, httpGet, tcpSocket, grpc }: Probe): boolean {
  return exec !== undefined || httpGet !== undefined || tcpSocket !== undefined || grpc !== undefined
}

function probeOf(probe: Probe, container: Container, path: string): NodeProbe {
  const { initialDelaySeconds = 0, terminationGracePeriodSeconds } = probe
  if (initialDelaySeconds < 0) throw fieldFault(`${path}.initialDelaySeconds`, "is negative")
  return {
    handler: handlerOf(probe, container, path),
    initialDelaySeconds,
    periodSeconds: atLeastOne(probe.periodSeconds, 10),
    timeoutSeconds: atLeastOne(probe.timeoutSeconds, 1),
    successThreshold: atLeastOne(probe.successThreshold, 1),
    failureThreshold: atLeastOne(probe.failureThreshold, 3),
    ...(terminationGracePeriodSeconds !== undefined && { terminationGracePeriodSeconds }),
  }
}

/** 0 is the default, as in Kubernetes. */
function atLeastOne(value: number | undefined, initial: number): number {
  return value === undefined || value < 1 ? initial : value
}

function handlerOf({ exec, httpGet, tcpSocket, grpc }: Probe, container: Container, path: string): ProbeHandler {
  if (exec) return { kind: "exec", command: commandOf(exec.command, path) }
  if (httpGet) return { kind: "http", ...requestOf(httpGet, container, path) }
  if (tcpSocket) {
    const port = portNumber(tcpSocket.port, container, `${path}.tcpSocket.port`)
    return { kind: "tcp", port, ...(tcpSocket.host && { host: tcpSocket.host }) }
  }
  if (grpc) return { kind: "grpc", port: portNumber(grpc.port, container, path), service: grpc.service ?? "" }
  throw fieldFault(path, "must specify a handler type")
}

/**
 * Health checks of liveness and startup, as podman makes them: requests by `curl` and `nc` of the container's own. `restarts`: what is not
 * alive is started again. Undefined: there is none. Pure.
 */
export function healthOptions({ liveness, startup }: ContainerProbes, restarts: boolean): HealthOptions | undefined {
  const test = liveness && testOf(liveness)
  const startupTest = startup && testOf(startup)
  if (test === undefined && startupTest === undefined) return undefined
  const timing = (liveness && test ? liveness : startup) as NodeProbe
  return {
    test: test ?? ["CMD-SHELL", "exit 0"],
    intervalMs: timing.periodSeconds * 1000,
    timeoutMs: timing.timeoutSeconds * 1000,
    startPeriodMs: timing.initialDelaySeconds * 1000,
    retries: timing.failureThreshold,
    ...(restarts && { onFailure: "restart" as const }),
    ...(startup && startupTest && { startup: startupCheck(startup, startupTest) }),
  }
}

function startupCheck(probe: NodeProbe, test: readonly string[]): StartupCheck {
  return {
    test,
    intervalMs: probe.periodSeconds * 1000,
    timeoutMs: probe.timeoutSeconds * 1000,
    retries: probe.failureThreshold,
    successes: probe.successThreshold,
  }
}

/** Undefined: no program of the container can look. */
function testOf({ handler }: NodeProbe): readonly string[] | undefined {
  switch (handler.kind) {
    case "exec":
      return ["CMD", ...handler.command]
    case "http": {
      const { scheme, host = "localhost", port, path, headers } = handler
      const given = headers.map(({ name, value }) => `-H ${quoted(`${name}: ${value}`)} `).join("")
      const url = `${scheme}://${host}:${port}${path}`
      return ["CMD-SHELL", `curl -f ${given}${quoted(url)} || exit 1`]
    }
    case "tcp":
      return ["CMD-SHELL", `nc -z -v ${quoted(handler.host ?? "localhost")} ${handler.port} || exit 1`]
    case "grpc":
      return undefined
  }
}

/** As one word of a shell; plain ones as podman writes them. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
