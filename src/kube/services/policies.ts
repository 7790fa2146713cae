/** NetworkPolicies as what the network does (networking.k8s.io/v1). Pure. */
import type { Namespace, Pod } from "kubernetes-types/core/v1"
import type { LabelSelector } from "kubernetes-types/meta/v1"
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "kubernetes-types/networking/v1"
import type { PortRange, TrafficPolicy, TrafficRule } from "../../network/network.ts"
import { log } from "../../base/log.ts"
import { isIpv4, isIpv6 } from "../../spec/docker/ip-address.ts"
import type { Protocol } from "../../spec/docker/port-mapping.ts"
import { keyOf } from "../controllers/cluster.ts"
import type { Kept } from "../controllers/kept.ts"
import { selects } from "../controllers/selector.ts"
import { namedPort } from "./slices.ts"

const PROTOCOLS: Readonly<Record<string, Protocol>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" }
const LAST_PORT = 65_535
/** The pods that answer names in other clusters: here the resolver does, and who allows them allows it. */
const RESOLVER_NAMESPACE = "kube-system"
const RESOLVER_LABELS = { "k8s-app": "kube-dns" }

/** What policies look at. */
export interface PolicyInput {
  policies: readonly Kept<NetworkPolicy>[]
  pods: readonly Kept<Pod>[]
  namespaces: readonly Kept<Namespace>[]
  /** Address of the resolver of names. */
  resolver: string
}

/** A pod that has a place on the network. */
interface Member {
  namespace: string
  labels: Readonly<Record<string, string>>
  addresses: readonly string[]
  pod: Kept<Pod> | undefined
}

/** What holds, and for whom it is known. */
export function trafficPolicies(input: PolicyInput): { policies: TrafficPolicy[]; known: string[] } {
  const members = input.pods.flatMap(memberOf)
  const resolver: Member = {
    namespace: RESOLVER_NAMESPACE,
    labels: RESOLVER_LABELS,
    addresses: [input.resolver],
    pod: undefined,
  }
  const context: Context = {
    members: [...members, resolver],
    namespaces: new Map(input.namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}])),
  }
  const ordered = input.policies.toSorted((one, other) => (keyOfPolicy(one) < keyOfPolicy(other) ? -1 : 1))
  return {
    policies: ordered.flatMap((policy) => isolated(policy, context)),
    known: members.flatMap(({ addresses }) => addresses),
  }
}

/** One that cannot be read lets nobody through, where it can be told to whom; it takes no other with it. */
function isolated(policy: Kept<NetworkPolicy>, context: Context): TrafficPolicy[] {
  try {
    return policiesOf(policy, context)
  } catch (error) {
    log.warn(`NetworkPolicy "${keyOfPolicy(policy)}" cannot be read: it lets nobody through`, { reason: String(error) })
    const podSelector = policy.spec?.podSelector ?? {}
    return policiesOf({ ...policy, spec: { podSelector, policyTypes: ["Ingress", "Egress"] } }, context)
  }
}

const keyOfPolicy = ({ metadata }: Kept<NetworkPolicy>): string => keyOf(metadata.namespace, metadata.name)

interface Context {
  members: readonly Member[]
  namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/** One that has ended keeps its address in its status, which is another's by now. */
function memberOf(pod: Kept<Pod>): Member[] {
  const { phase, podIP, podIPs = [] } = pod.status ?? {}
  if (phase === "Succeeded" || phase === "Failed" || pod.spec?.hostNetwork === true) return []
  const addresses = [...new Set([podIP, ...podIPs.map(({ ip }) => ip)])].filter(
    (one) => one !== undefined && (isIpv4(one) || isIpv6(one)),
  )
  if (addresses.length === 0) return []
  const { namespace = "default", labels = {} } = pod.metadata
  return [{ namespace, labels, addresses: addresses as string[], pod }]
}

function policiesOf(policy: Kept<NetworkPolicy>, context: Context): TrafficPolicy[] {
  const { podSelector, ingress = [], egress = [], policyTypes } = policy.spec ?? { podSelector: {} }
  const { namespace = "default" } = policy.metadata
  const types = policyTypes ?? ["Ingress", ...(egress.length > 0 ? ["Egress"] : [])]
  const own = context.members.filter(
    (one) => one.pod !== undefined && one.namespace === namespace && selects(podSelector ?? {}, one.labels),
  )
  const members = own.flatMap(({ addresses }) => addresses)
  const key = `${keyOfPolicy(policy)} ${policy.metadata.uid}`
  return [
    ...(types.includes("Ingress")
      ? [
          {
            key,
            direction: "receive" as const,
            members,
            rules: ingress.flatMap(({ from, ports }) =>
              ruleOf({ peers: from, ports, namespace, receivers: own }, context),
            ),
          },
        ]
      : []),
    ...(types.includes("Egress")
      ? [
          {
            key,
            direction: "send" as const,
            members,
            rules: egress.flatMap(({ to, ports }) =>
              ruleOf({ peers: to, ports, namespace, receivers: undefined }, context),
            ),
          },
        ]
      : []),
  ]
}

interface RuleInput {
  peers: readonly NetworkPolicyPeer[] | undefined
  ports: readonly NetworkPolicyPort[] | undefined
  namespace: string
  /** Who has the ports; undefined: the peers. */
  receivers: readonly Member[] | undefined
}

function ruleOf({ peers = [], ports = [], namespace, receivers }: RuleInput, context: Context): TrafficRule[] {
  const chosen = peers.length === 0 ? context.members : peers.flatMap((peer) => membersOf(peer, namespace, context))
  const ranges = peers.flatMap(({ ipBlock }) =>
    ipBlock !== undefined && [ipBlock.cidr, ...(ipBlock.except ?? [])].every(isRange)
      ? [{ range: ipBlock.cidr, except: ipBlock.except ?? [] }]
      : [],
  )
  const whom =
    peers.length === 0
      ? {}
      : { peers: { addresses: [...new Set(chosen.flatMap(({ addresses }) => addresses))], ranges } }
  if (ports.length === 0) return [whom]
  const numbers = ports.flatMap(rangeOf)
  const places = ports.flatMap(({ port, protocol = "TCP" }) =>
    typeof port === "string" && !/^\d+$/.test(port) ? placesOf(receivers ?? chosen, port, protocol) : [],
  )
  return [
    ...(numbers.length > 0 ? [{ ...whom, ports: numbers }] : []),
    // rules that a name makes are there while nobody has it, so that the first who comes is an element
    ...(ports.some(({ port }) => typeof port === "string" && !/^\d+$/.test(port)) ? [{ ...whom, places }] : []),
  ]
}

/** What is none lets nobody through, and takes no other policy with it. */
function isRange(text: string): boolean {
  const [, base = "", length = "999"] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  return (isIpv4(base) && Number(length) <= 32) || (isIpv6(base) && Number(length) <= 128)
}

function membersOf(
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  own: string,
  context: Context,
): Member[] {
  if (ipBlock !== undefined || (podSelector === undefined && namespaceSelector === undefined)) return []
  return context.members.filter(
    ({ namespace, labels }) =>
      isNamespace(namespaceSelector, namespace, own, context) &&
      (podSelector === undefined || selects(podSelector, labels)),
  )
}

function isNamespace(
  selector: LabelSelector | undefined,
  namespace: string,
  own: string,
  { namespaces }: Context,
): boolean {
  if (selector === undefined) return namespace === own
  return selects(selector, { ...namespaces.get(namespace), "kubernetes.io/metadata.name": namespace })
}

function rangeOf({ port, endPort, protocol = "TCP" }: NetworkPolicyPort): PortRange[] {
  const known = PROTOCOLS[protocol]
  if (known === undefined || (typeof port === "string" && !/^\d+$/.test(port))) return []
  if (port === undefined) return [{ protocol: known, first: 0, last: LAST_PORT }]
  const first = Number(port)
  const last = Math.max(first, endPort ?? first)
  // a number that is no port lets nobody through, and takes no other policy with it
  if (![first, last].every((number) => Number.isInteger(number) && number >= 0 && number <= LAST_PORT)) return []
  return [{ protocol: known, first, last }]
}

function placesOf(
  receivers: readonly Member[],
  name: string,
  protocol: string,
): NonNullable<TrafficRule["places"]>[number][] {
  const known = PROTOCOLS[protocol]
  if (known === undefined) return []
  return receivers.flatMap(({ pod, addresses }) => {
    const port = pod && namedPort(pod, name, protocol)
    return port === undefined ? [] : addresses.map((address) => ({ address, protocol: known, port }))
  })
}
