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
 * Health checks of probes. What they say is podman's, requests by `curl` and `nc` of the container's own; who asks is the engine itself, which
 * needs no program of the image, but where a probe names another host. `restarts`: what is not alive is started again. Readiness is asked after
 * liveness, at the same times, and nothing is done of it. Undefined: there is none. Pure.
 */
export function healthOptions(
  { liveness, readiness, startup }: ContainerProbes,
  restarts: boolean,
): HealthOptions | undefined {
  const main = liveness ?? readiness
  if (main === undefined && startup === undefined) return undefined
  const timing = (main ?? startup) as NodeProbe
  const isOther = liveness !== undefined && readiness !== undefined && !isSame(liveness.handler, readiness.handler)
  return {
    ...(main === undefined ? { test: ["CMD-SHELL", "exit 0"] } : testOf(main)),
    intervalMs: (isOther ? Math.min(timing.periodSeconds, readiness.periodSeconds) : timing.periodSeconds) * 1000,
    timeoutMs: timing.timeoutSeconds * 1000,
    startPeriodMs: timing.initialDelaySeconds * 1000,
    retries: timing.failureThreshold,
    // what is only not ready is told, and left alone
    ...(restarts && (liveness !== undefined || readiness === undefined) && { onFailure: "restart" as const }),
    ...(startup && { startup: startupCheck(startup) }),
    ...(isOther && {
      readiness: {
        ...testOf(readiness),
        timeoutMs: readiness.timeoutSeconds * 1000,
        retries: readiness.failureThreshold,
      },
    }),
  }
}

function isSame(one: ProbeHandler, other: ProbeHandler): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function startupCheck(probe: NodeProbe): StartupCheck {
  return {
    ...testOf(probe),
    intervalMs: probe.periodSeconds * 1000,
    timeoutMs: probe.timeoutSeconds * 1000,
    retries: probe.failureThreshold,
    successes: probe.successThreshold,
  }
}

function testOf({ handler }: NodeProbe): Pick<StartupCheck, "test" | "request"> {
  switch (handler.kind) {
    case "exec":
      return { test: ["CMD", ...handler.command] }
    case "http": {
      const { scheme, host = "localhost", port, path, headers } = handler
      const given = headers.map(({ name, value }) => `-H ${quoted(`${name}: ${value}`)} `).join("")
      const url = `${scheme}://${host}:${port}${path}`
      return {
        test: ["CMD-SHELL", `curl -f ${given}${quoted(url)} || exit 1`],
        ...(isOwn(host) && { request: { kind: "http", scheme, port, path, headers } }),
      }
    }
    case "tcp": {
      const { host = "localhost", port } = handler
      return {
        test: ["CMD-SHELL", `nc -z -v ${quoted(host)} ${port} || exit 1`],
        ...(isOwn(host) && { request: { kind: "tcp", port } }),
      }
    }
    case "grpc": {
      const { port, service } = handler
      const name = service === "" ? "" : ` -service=${quoted(service)}`
      return {
        test: ["CMD-SHELL", `grpc_health_probe -addr=localhost:${port}${name} || exit 1`],
        request: { kind: "grpc", port, service },
      }
    }
  }
}

/** The engine asks nobody else in the name of a file: that a program of the container does, by the container's own network. */
export function isOwn(host: string): boolean {
  return host === "localhost" || host === "127.0.0.1" || host === "::1"
}

/** As one word of a shell; plain ones as podman writes them. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
