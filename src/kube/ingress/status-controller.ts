/** Tells where Ingresses are answered, has them answered, and keeps the class that is ours. */
import type { Ingress, IngressClass } from "kubernetes-types/networking/v1"
import { networkInterfaces } from "node:os"
import type { Controller } from "../controllers/controller.ts"
import { keyOf, type CachedChange, type Cluster } from "../controllers/cluster.ts"
import { ingressSettings, SETTINGS, usualSettings } from "./settings.ts"
import { INGRESS_CLASS, INGRESS_CONTROLLER, ownIngresses } from "./routes.ts"
import { gatewayStatuses } from "./gateway-status.ts"
import { allRules, GATEWAYS, INGRESS_CLASSES, INGRESSES } from "./serve.ts"

/** A proxy that was killed is missed for so long. */
const LOOK_MS = 2_000

/** No Ingress is called so: names have a namespace before them. */
const ROUTES = "routes"

/** What it stands on. */
export interface IngressStatusDeps {
  cluster: Cluster
  isOrdinaryUser: boolean
  /** Starts the proxy unless it runs. Throws nothing. */
  wakeProxy(): void
  /** Hears on which ports of this host callers come; none: there is no Ingress. */
  onPorts(ports: readonly number[]): void
  /** Names of interfaces that are ours. */
  isOwnLink(name: string): boolean
}

/** Writes the addresses of Ingresses of ours, and what is to be said of Gateways and routes, into their statuses. */
export function ingressStatusController(deps: IngressStatusDeps): Controller {
  const { cluster, wakeProxy } = deps
  return {
    name: "ingress",
    *keysOf({ resource, object: { metadata } }: CachedChange) {
      if (resource === INGRESSES) yield keyOf(metadata.namespace, metadata.name)
      const isSetting = resource === "configmaps" && metadata.name === SETTINGS.name
      // routes of Gateways have no key of their own: who looks sees all of them, and what they lead to
      const isLedTo = ["services", "secrets", "namespaces"].includes(resource) && cluster.count(GATEWAYS[1]) > 0
      if ((GATEWAYS as readonly string[]).includes(resource) || isLedTo || isSetting) yield ROUTES
      if (resource === INGRESS_CLASSES || isSetting)
        for (const one of cluster.list<Ingress>(INGRESSES)) yield keyOf(one.metadata.namespace, one.metadata.name)
    },
    reconcile(key) {
      const ingress = cluster.byKey<Ingress>(INGRESSES, key)
      tellPorts(deps)
      if (key === ROUTES) {
        const { ingresses, gateways } = allRules(cluster.objects)
        const isAny = ingresses.length > 0 || gateways.routes.length > 0
        if (isAny) wakeProxy()
        const settings = settingsOf(deps)
        const address = settings.address === "0.0.0.0" ? hostAddress(deps.isOwnLink) : settings.address
        for (const { resource, object, status } of gatewayStatuses(gateways, { ...settings, address }, new Date()))
          cluster.patchStatus(resource, object as never, () => status as never)
        return isAny ? LOOK_MS : undefined
      }
      if (ingress === undefined || ingress.metadata.deletionTimestamp !== undefined) return
      ensureClass(cluster)
      const isOurs = ownIngresses([ingress], cluster.list<IngressClass>(INGRESS_CLASSES)).length > 0
      const settings = settingsOf(deps)
      const before = JSON.stringify(ingress.status?.loadBalancer?.ingress ?? [])
      const address = settings.address === "0.0.0.0" ? hostAddress(deps.isOwnLink) : settings.address
      const ports = [
        { port: settings.http, protocol: "TCP" },
        ...((ingress.spec?.tls ?? []).length > 0 ? [{ port: settings.https, protocol: "TCP" }] : []),
      ]
      const wanted = isOurs ? [{ ip: address, ports }] : []
      const wasOurs = before.includes('"ports"')
      if (isOurs) wakeProxy()
      if (JSON.stringify(wanted) !== before && (isOurs || wasOurs))
        cluster.patchStatus<Ingress>(INGRESSES, ingress, ({ status }) => ({
          ...status,
          loadBalancer: { ingress: wanted },
        }))
      return isOurs ? LOOK_MS : undefined
    },
  }
}

function settingsOf({ cluster, isOrdinaryUser }: IngressStatusDeps): ReturnType<typeof ingressSettings> {
  return ingressSettings(
    cluster.objects.find("configmaps", SETTINGS.name, SETTINGS.namespace),
    usualSettings(isOrdinaryUser),
  )
}

function tellPorts(deps: IngressStatusDeps): void {
  const { ingresses, gateways } = allRules(deps.cluster.objects)
  const settings = settingsOf(deps)
  const hasTls = gateways.tls.length > 0 || ingresses.some(({ spec }) => (spec?.tls ?? []).length > 0)
  const isNone = ingresses.length === 0 && gateways.routes.length === 0
  deps.onPorts(isNone ? [] : [settings.http, ...(hasTls ? [settings.https] : [])])
}

/** There is no other here: who names none gets it. */
function ensureClass(cluster: Cluster): void {
  if (cluster.find(INGRESS_CLASSES, INGRESS_CLASS) !== undefined) return
  const isDefault = cluster
    .list<IngressClass>(INGRESS_CLASSES)
    .every(({ metadata }) => metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] !== "true")
  cluster.create(INGRESS_CLASSES, {
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: {
      name: INGRESS_CLASS,
      ...(isDefault && { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } }),
    },
    spec: { controller: INGRESS_CONTROLLER },
  })
}

/** By which others know this host; the loopback's, where there is none. */
function hostAddress(isOwnLink: (name: string) => boolean): string {
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    if (isOwnLink(name)) continue
    const found = addresses.find(({ family, internal }) => family === "IPv4" && !internal)
    if (found !== undefined) return found.address
  }
  return "127.0.0.1"
}
