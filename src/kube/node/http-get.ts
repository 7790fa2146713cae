import type { Container, HTTPGetAction } from "kubernetes-types/core/v1"
import { fieldFault } from "./field-fault.ts"
import { portNumber } from "./ports.ts"

/** A request that a probe or a hook makes. */
export interface NodeHttpGet {
  scheme: "http" | "https"
  /** Default: the pod's own address. */
  host?: string
  port: number
  /** Begins with a slash. */
  path: string
  headers: readonly { name: string; value: string }[]
}

/** Throws InvalidArgument. Pure. */
export function requestOf(get: HTTPGetAction, container: Container, path: string): NodeHttpGet {
  const scheme = (get.scheme ?? "HTTP").toLowerCase()
  if (scheme !== "http" && scheme !== "https")
    throw fieldFault(`${path}.httpGet.scheme`, `"${scheme}" is neither HTTP nor HTTPS`)
  const target = get.path || "/"
  if (/[\0\r\n]/.test(target)) throw fieldFault(`${path}.httpGet.path`, "has a line end")
  return {
    scheme,
    port: portNumber(get.port, container, `${path}.httpGet.port`),
    path: target.startsWith("/") ? target : `/${target}`,
    headers: (get.httpHeaders ?? []).map(({ name, value = "" }) => ({ name, value })),
    ...(get.host && { host: get.host }),
  }
}
