/**
 * The proxy of Ingresses: a process of its own, as long as there are Ingresses of ours. It holds no truth: routes, endpoints and certificates
 * are read from the objects, anew whenever one of them has changed. The supervisor starts it again when it was killed.
 */
import type { Secret, Service } from "kubernetes-types/core/v1"
import type { EndpointSlice } from "kubernetes-types/discovery/v1"
import type { Ingress, IngressClass } from "kubernetes-types/networking/v1"
import { setTimeout as sleep } from "node:timers/promises"
import { isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { keyOf } from "../controllers/cluster.ts"
import type { Kept } from "../controllers/kept.ts"
import { resolveGateways, type ResolvedGateways } from "./gateway-routes.ts"
import type { KubeObjects, StoredObject } from "../objects/objects.ts"
import { SERVICE_NAME, SLICES } from "../services/slices.ts"
import { upstreamOf } from "./backends.ts"
import { USUAL_LIMITS } from "./limits.ts"
import { Proxy } from "./proxy.ts"
import { ownIngresses, Routes } from "./routes.ts"
import { IngressServers, type KeyPair } from "./servers.ts"
import { ingressSettings, SETTINGS, usualSettings } from "./settings.ts"

/** Resources that are served by the proxy. */
export const INGRESSES = "ingresses.networking.k8s.io"
export const INGRESS_CLASSES = "ingressclasses.networking.k8s.io"
const GATEWAY = "gateway.networking.k8s.io"
export const HTTP_ROUTES = `httproutes.${GATEWAY}`
export const GATEWAYS = [`gatewayclasses.${GATEWAY}`, `gateways.${GATEWAY}`, HTTP_ROUTES] as const
const WATCHED = ["configmaps", "namespaces", "secrets", "services", SLICES, INGRESSES, INGRESS_CLASSES, ...GATEWAYS]
const LINGER_MS = 2_000
const RETRY_MS = 2_000
/** Changes of one moment are read together. */
const TOGETHER_MS = 5

/** What the process stands on. */
export interface ServeIngressesDeps {
  objects: KubeObjects
  isOrdinaryUser: boolean
  /** Undefined: another process serves them. */
  takeLock(wasHanded: boolean): Disposable | undefined
}

/** Whether there is anything to serve. */
export function hasIngresses(objects: Pick<KubeObjects, "list">): boolean {
  const { ingresses, gateways } = allRules(objects)
  return ingresses.length > 0 || gateways.routes.length > 0
}

/** Ingresses of ours, the oldest first, and what Gateways of ours say. */
export interface AllRules {
  ingresses: readonly Kept<Ingress>[]
  gateways: ResolvedGateways
}

/** Reads them from the objects. */
export function allRules(objects: Pick<KubeObjects, "list">): AllRules {
  const list = (resource: string): StoredObject[] => objects.list(resource).items
  const ingresses = list(INGRESSES) as unknown as Kept<Ingress>[]
  const classes = ingresses.length === 0 ? [] : (list(INGRESS_CLASSES) as unknown as Kept<IngressClass>[])
  const gateways = list(GATEWAYS[1])
  const isAny = gateways.length > 0
  const names = (resource: string): Set<string> =>
    new Set(isAny ? list(resource).map(({ metadata }) => keyOf(metadata.namespace, metadata.name)) : [])
  const [services, secrets] = [names("services"), names("secrets")]
  return {
    ingresses: ownIngresses(ingresses, classes),
    gateways: resolveGateways({
      classes: list(GATEWAYS[0]),
      gateways,
      routes: isAny ? list(HTTP_ROUTES) : [],
      namespaces: isAny ? list("namespaces") : [],
      hasService: (namespace, name) => services.has(keyOf(namespace, name)),
      hasSecret: (namespace, name) => secrets.has(keyOf(namespace, name)),
    }),
  }
}

/** Resolves when there is nothing to serve any more, or another process does it. */
export async function serveIngresses(deps: ServeIngressesDeps, { wasHanded = false } = {}): Promise<void> {
  for (let isFirst = true; isFirst || hasIngresses(deps.objects); isFirst = false) {
    using lock = deps.takeLock(wasHanded && isFirst)
    if (lock === undefined) return
    await serveUntilIdle(deps)
  }
}

async function serveUntilIdle({ objects, isOrdinaryUser }: ServeIngressesDeps): Promise<void> {
  const stop = new AbortController()
  // watched first, then read: nothing falls between
  await using watch = objects.watch({ resources: WATCHED, signal: stop.signal })
  const table = new IngressTable(objects)
  const settings = ingressSettings(
    objects.find("configmaps", SETTINGS.name, SETTINGS.namespace),
    usualSettings(isOrdinaryUser),
  )
  const limits = { ...USUAL_LIMITS, requestsOfOne: settings.perClient, connectionsOfOne: settings.perClient }
  const proxy = new Proxy(
    {
      find: (host, path, request) => table.routes.find(host, path, request),
      upstream: (backend) => table.upstream(backend),
      tlsPort: () => (servers.hasTls ? settings.https : undefined),
    },
    limits,
  )
  const servers = new IngressServers(proxy, settings.address, limits)
  const text = JSON.stringify(settings)
  try {
    await listenAtLast(servers, settings.http)
    let due: NodeJS.Timeout | undefined
    const read = async (): Promise<void> => {
      due = undefined
      table.read()
      await servers.serveTls(table.pairs, settings.https)
    }
    await read().catch(tell)
    let idle: NodeJS.Timeout | undefined
    const look = (): void => {
      const isOther =
        JSON.stringify(
          ingressSettings(objects.find("configmaps", SETTINGS.name, SETTINGS.namespace), usualSettings(isOrdinaryUser)),
        ) !== text
      if (isOther) stop.abort()
      if (table.isEmpty) idle ??= setTimeout(() => stop.abort(), LINGER_MS)
      else idle = void clearTimeout(idle)
    }
    look()
    for await (const _ of watch)
      due ??= setTimeout(
        () =>
          void read()
            .catch(tell)
            .finally(() => look()),
        TOGETHER_MS,
      )
    clearTimeout(due)
    clearTimeout(idle)
  } finally {
    servers.close()
    proxy.close()
  }
}

function tell(error: unknown): void {
  log.warn("Ingresses cannot be served as they are", { reason: String(error) })
}

/** Who has the port may give it back. */
async function listenAtLast(servers: IngressServers, port: number): Promise<void> {
  for (let isTold = false; ; isTold = true)
    try {
      return await servers.listen(port)
    } catch (error) {
      if (!isSkiffError(error, "Unavailable")) throw error
      if (!isTold) log.warn(error.message)
      await sleep(RETRY_MS)
    }
}

/** What was read of the objects. */
class IngressTable {
  readonly #objects: KubeObjects
  readonly #services = new Map<string, Kept<Service>>()
  readonly #slices = new Map<string, Kept<EndpointSlice>[]>()
  routes = new Routes([])
  pairs: ReadonlyMap<string, KeyPair> = new Map()
  isEmpty = true
  #turn = 0

  constructor(objects: KubeObjects) {
    this.#objects = objects
  }

  read(): void {
    const list = <T>(resource: string): Kept<T>[] => this.#objects.list(resource).items as unknown as Kept<T>[]
    const { ingresses, gateways } = allRules(this.#objects)
    this.isEmpty = ingresses.length === 0 && gateways.routes.length === 0
    this.routes = new Routes(ingresses, gateways.routes)
    this.pairs = this.#pairsOf(ingresses, gateways.tls)
    this.#services.clear()
    this.#slices.clear()
    for (const service of list<Service>("services"))
      this.#services.set(keyOf(service.metadata.namespace, service.metadata.name), service)
    for (const slice of list<EndpointSlice>(SLICES)) {
      const key = keyOf(slice.metadata.namespace, slice.metadata.labels?.[SERVICE_NAME] ?? "")
      const known = this.#slices.get(key)
      if (known === undefined) this.#slices.set(key, [slice])
      else known.push(slice)
    }
  }

  upstream(backend: Parameters<typeof upstreamOf>[0]): ReturnType<typeof upstreamOf> {
    const key = keyOf(backend.namespace, backend.service)
    return upstreamOf(backend, this.#services.get(key), this.#slices.get(key) ?? [], this.#turn++)
  }

  /** Of each host, the certificate of the first Ingress that names one. */
  #pairsOf(ingresses: readonly Kept<Ingress>[], gateways: ResolvedGateways["tls"]): Map<string, KeyPair> {
    const pairs = new Map<string, KeyPair>()
    const add = (hosts: readonly string[], secretName: string, namespace: string | undefined): void => {
      const secret = this.#objects.find("secrets", secretName, namespace) as Kept<Secret> | undefined
      const pair = secret && pairOf(secret)
      if (pair === undefined) return
      for (const host of hosts) if (!pairs.has(host.toLowerCase())) pairs.set(host.toLowerCase(), pair)
    }
    for (const { metadata, spec } of ingresses)
      for (const { hosts, secretName } of spec?.tls ?? []) {
        if (secretName === undefined) continue
        // who names no host means those of his rules
        add(hosts ?? (spec?.rules ?? []).flatMap(({ host }) => host ?? []), secretName, metadata.namespace)
      }
    for (const { hosts, namespace, secretName } of gateways) add(hosts, secretName, namespace)
    return pairs
  }
}

function pairOf({ data = {} }: Kept<Secret>): KeyPair | undefined {
  const [cert, key] = [data["tls.crt"], data["tls.key"]]
  if (cert === undefined || key === undefined) return undefined
  return { cert: Buffer.from(cert, "base64").toString(), key: Buffer.from(key, "base64").toString() }
}
