import { USUAL_LIMITS } from "./limits.ts"
import type { StoredObject } from "../objects/objects.ts"

/** Where Ingresses are answered. */
export interface IngressSettings {
  http: number
  https: number
  /** Of this host; default: all. */
  address: string
  /** How many requests, and connections, one caller may have at once: his own proxy may ask for many. */
  perClient: number
}

/** The ConfigMap that says otherwise than the defaults. */
export const SETTINGS = { namespace: "kube-system", name: "skiff-ingress" } as const

const COMMON = { address: "0.0.0.0", perClient: USUAL_LIMITS.requestsOfOne } as const

/** An ordinary user may not have ports below 1024 (ip(7), ip_unprivileged_port_start). */
export const usualSettings = (isOrdinaryUser: boolean): IngressSettings =>
  isOrdinaryUser ? { http: 8080, https: 8443, ...COMMON } : { http: 80, https: 443, ...COMMON }

/** What the ConfigMap says, where it says it well; all else as usual. Pure. */
export function ingressSettings(configMap: StoredObject | undefined, usual: IngressSettings): IngressSettings {
  const data = (configMap?.["data"] ?? {}) as Record<string, string>
  return {
    http: portOf(data["http"], usual.http),
    https: portOf(data["https"], usual.https),
    address: data["address"] ?? usual.address,
    perClient: /^[1-9]\d{0,4}$/.test(data["perClient"] ?? "") ? Number(data["perClient"]) : usual.perClient,
  }
}

function portOf(text: string | undefined, other: number): number {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536
    ? Number(text)
    : other
}
