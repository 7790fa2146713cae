import type { Container, LifecycleHandler } from "kubernetes-types/core/v1"
import { fieldFault } from "./field-fault.ts"
import { requestOf, type NodeHttpGet } from "./http-get.ts"
import { portNumber } from "./ports.ts"

/** What is done at an end of a container's life. */
export type NodeHandler =
  | { kind: "exec"; command: readonly string[] }
  | ({ kind: "http" } & NodeHttpGet)
  | { kind: "tcp"; host?: string; port: number }
  | { kind: "sleep"; seconds: number }

/** Hooks of a container, as data. */
export interface ContainerHooks {
  /** Right after its start. */
  postStart?: NodeHandler
  /** Before its stop, within the grace period. */
  preStop?: NodeHandler
}

/** Throws InvalidArgument for a handler that says nothing or names no port of the container. Pure. */
export function hooksOf(container: Container, path: string): ContainerHooks {
  const { postStart, preStop } = container.lifecycle ?? {}
  return {
    ...(postStart && { postStart: handlerOf(postStart, container, `${path}.lifecycle.postStart`) }),
    ...(preStop && { preStop: handlerOf(preStop, container, `${path}.lifecycle.preStop`) }),
  }
}

function handlerOf(
  { exec, httpGet, tcpSocket, sleep }: LifecycleHandler,
  container: Container,
  path: string,
): NodeHandler {
  if (exec) return { kind: "exec", command: commandOf(exec.command, path) }
  if (httpGet) return { kind: "http", ...requestOf(httpGet, container, path) }
  if (tcpSocket) {
    const port = portNumber(tcpSocket.port, container, `${path}.tcpSocket.port`)
    return { kind: "tcp", port, ...(tcpSocket.host && { host: tcpSocket.host }) }
  }
  if (sleep) return { kind: "sleep", seconds: Math.max(0, sleep.seconds ?? 0) }
  throw fieldFault(path, "must specify a handler type")
}

/** Words of an exec handler. Throws InvalidArgument for none. Pure. */
export function commandOf(command: readonly string[] = [], path: string): readonly string[] {
  if (command.length === 0) throw fieldFault(`${path}.exec.command`, "is empty")
  return command
}
