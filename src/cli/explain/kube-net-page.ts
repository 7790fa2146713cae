import { fill, type Language, type Values } from "../../base/messages.ts"
import type { Engine } from "../../engine/engine.ts"
import type { KubeObjects } from "../../kube/kube.ts"
import type { Network, ObservedVirtual } from "../../network/network.ts"
import type { kubeNet as words } from "./en/kube-net.ts"
import type { Paper } from "./paper.ts"

const CATALOGUES = {
  en: async () => (await import("./en/kube-net.ts")).kubeNet,
  fr: async () => (await import("./fr/kube-net.ts")).kubeNet,
}

/** The name of the cluster's network. */
const NETWORK = "kube"
const MOST_LINES = 40
const MOST_ENDPOINTS = 6

/** What is shown, as data. */
export interface KubeNetFacts {
  network: Network | undefined
  virtual: ObservedVirtual | undefined
}

export async function kubeNetFacts(engine: Engine): Promise<KubeNetFacts> {
  const networks = await engine.networks()
  const network = networks.list().find(({ name, options }) => name === NETWORK && options.virtual !== undefined)
  return { network, virtual: network && (await networks.observeVirtual()) }
}

/** The cluster's network as the kernel has it now, and what others do in its place. */
export async function kubeNetPage(paper: Paper, engine: Engine, language: Language): Promise<void> {
  const catalogue: Readonly<Record<keyof typeof words, string>> = await CATALOGUES[language]()
  const say = (key: keyof typeof words, values?: Values): string => fill(catalogue[key], values).trim()
  const { network, virtual } = await kubeNetFacts(engine)
  paper.title(say("title"))
  paper.prose(say("picture"))
  if (network?.options.virtual === undefined || virtual === undefined) {
    paper.blank()
    paper.prose(say("none"))
  } else {
    paper.blank()
    const { services, services6, balanced } = network.options.virtual
    paper.entry(network.subnet, say("pods", { bridge: network.bridge }), 24)
    if (network.subnet6 !== undefined) paper.entry(network.subnet6, say("pods", { bridge: network.bridge }), 24)
    for (const range of [services, ...(services6 === undefined ? [] : [services6])])
      paper.entry(range, say("services"), 24)
    paper.entry(balanced, say("balanced"), 24)
    const { resolverPort } = virtual
    const resolver = resolverPort === undefined ? say("resolverOff") : say("resolver", { port: `${resolverPort}` })
    paper.entry(network.gateway, resolver, 24)
    path(paper, say, virtual)
    inForce(paper, say, virtual, await serviceNames(await engine.kubeObjects()))
    paper.heading(say("look"))
    for (const table of [virtual.table, virtual.policyTable]) paper.command(`nft list table inet ${table}`)
    paper.command(`dig @${network.gateway} web.default.svc.cluster.local`)
  }
  paper.heading(say("others"))
  for (const key of ["flannel", "calico", "cilium", "proxy"] as const) paper.prose(say(key), 2)
}

type Say = (key: keyof typeof words, values?: Values) => string

function path(paper: Paper, say: Say, { table }: ObservedVirtual): void {
  paper.heading(say("path"))
  paper.prose(say("pathText", { table }))
  paper.entry("frontends", say("step1"), 12)
  paper.entry("sizes", say("step2"), 12)
  paper.entry("endpoints", say("step3"), 12)
  paper.entry("sticky", say("step4"), 12)
}

function inForce(paper: Paper, say: Say, virtual: ObservedVirtual, names: ReadonlyMap<string, string>): void {
  paper.heading(say("inForce"))
  const { frontends, unserved, policies, policyTable } = virtual
  if (frontends.length === 0) paper.prose(say("noServices"), 2)
  const place = ({ address, port }: { address: string; port: number }): string => {
    if (address === "") return say("anyAddress", { port: `${port}` })
    const name = names.get(address)
    const text = `${address.includes(":") ? `[${address}]` : address}:${port}`
    return name === undefined ? text : `${text} (${name})`
  }
  for (const one of frontends.slice(0, MOST_LINES)) {
    const { protocol, lots, mark, isSticky, endpoints } = one
    const values = { protocol, place: place(one), count: `${endpoints.length}`, lots: `${lots}`, mark }
    paper.prose(say(isSticky ? "lineSticky" : "line", values), 2)
    for (const { address, port } of endpoints.slice(0, MOST_ENDPOINTS)) paper.raw(`      ${address}:${port}`)
    if (endpoints.length > MOST_ENDPOINTS)
      paper.prose(say("more", { count: `${endpoints.length - MOST_ENDPOINTS}` }), 6)
  }
  if (frontends.length > MOST_LINES) paper.prose(say("more", { count: `${frontends.length - MOST_LINES}` }), 2)
  for (const one of unserved.slice(0, MOST_LINES))
    paper.prose(say("unserved", { protocol: one.protocol, place: place(one) }), 2)
  paper.heading(say("policies"))
  if (policies === undefined) paper.prose(say("noPolicies"), 2)
  else
    paper.prose(
      say("policyText", {
        table: policyTable,
        receive: `${policies.receive}`,
        send: `${policies.send}`,
        known: `${policies.known}`,
      }),
      2,
    )
}

/** By their addresses: `shop/web`. */
async function serviceNames(objects: KubeObjects): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  for (const { metadata, ...service } of objects.list("services").items) {
    const { clusterIPs = [] } = (service["spec"] ?? {}) as { clusterIPs?: string[] }
    const status = (service["status"] ?? {}) as { loadBalancer?: { ingress?: { ip?: string }[] } }
    const balanced = (status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? [])
    for (const address of [...clusterIPs, ...balanced]) names.set(address, `${metadata.namespace}/${metadata.name}`)
  }
  return names
}
