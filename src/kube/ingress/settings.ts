import type { StoredObject } from "../objects/objects.ts"

/** Where Ingresses are answered. */
export interface IngressSettings {
  http: number
  https: number
  /** Of this host; default: all. */
  address: string
}

/** The ConfigMap that says otherwise than the defaults. */
export const SETTINGS = { namespace: "kube-system", name: "skiff-ingress" } as const

/** An ordinary user may not have ports below 1024 (ip(7), ip_unprivileged_port_start). */
export const usualSettings = (isOrdinaryUser: boolean): IngressSettings =>
  isOrdinaryUser ? { http: 8080, https: 8443, address: "0.0.0.0" } : { http: 80, https: 443, address: "0.0.0.0" }

/** What the ConfigMap says, where it says it well; all else as usual. Pure. */
export function ingressSettings(configMap: StoredObject | undefined, usual: IngressSettings): IngressSettings {
  const data = (configMap?.["data"] ?? {}) as Record<string, string>
  return {
    http: portOf(data["http"], usual.http),
    https: portOf(data["https"], usual.https),
    address: data["address"] ?? usual.address,
  }
}

function portOf(text: string | undefined, other: number): number {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536
    ? Number(text)
    : other
}
