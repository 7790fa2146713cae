/** Whether a pod may be on the one node that there is, in the words of Kubernetes' scheduler. Pure. */
import type {
  ContainerPort,
  Node,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodSpec,
  Taint,
  Toleration,
} from "kubernetes-types/core/v1"
import type { LabelSelector } from "kubernetes-types/meta/v1"
import type { Kept } from "./kept.ts"
import type { KeptPod } from "./pod-state.ts"
import { selects, selectsAll } from "./selector.ts"

/** Why a pod cannot be on the node. */
export interface Refusal {
  message: string
  /** Others that went would make room. */
  isHelpedByPreemption: boolean
}

/** What of the node and of those on it a pod is held against. */
export interface Surroundings {
  node: Kept<Node>
  /** Pods on the node that have not ended. */
  others: readonly KeptPod[]
  /** Labels of a namespace. */
  labelsOf(namespace: string): Readonly<Record<string, string>>
}

/** `node(s) didn't match …`: for good, as far as other pods are concerned. */
const lasting = (message: string): Refusal => ({ message, isHelpedByPreemption: false })
const passing = (message: string): Refusal => ({ message, isHelpedByPreemption: true })

const UNSCHEDULABLE: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }

/** What the node is, whoever else is on it. Undefined: the pod may be there. */
export function nodeRefusal(spec: PodSpec | undefined, node: Kept<Node>): Refusal | undefined {
  const tolerations = spec?.tolerations ?? []
  if (node.spec?.unschedulable && !tolerations.some((one) => tolerates(one, UNSCHEDULABLE)))
    return lasting("node(s) were unschedulable")
  const untolerated = node.spec?.taints?.find(
    (taint) => taint.effect !== "PreferNoSchedule" && !tolerations.some((one) => tolerates(one, taint)),
  )
  if (untolerated) return lasting(`node(s) had untolerated taint {${untolerated.key}: ${untolerated.value ?? ""}}`)
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const isMeant = selectsAll(spec?.nodeSelector, node.metadata.labels)
  if (!isMeant || (terms !== undefined && !terms.some((term) => fitsTerm(term, node))))
    return lasting("node(s) didn't match Pod's node affinity/selector")
  return undefined
}

/** Whether a toleration is for a taint (core/v1, Toleration.ToleratesTaint). */
export function tolerates(
  { key = "", operator = "Equal", value = "", effect = "" }: Toleration,
  taint: Taint,
): boolean {
  return (
    (key === "" ? operator === "Exists" : key === taint.key) &&
    (effect === "" || effect === taint.effect) &&
    (operator === "Exists" || value === (taint.value ?? ""))
  )
}

/** All of a term; one that says nothing fits no node. */
function fitsTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Kept<Node>): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const fields = { "metadata.name": metadata.name }
  return (
    matchExpressions.every((one) => fitsRequirement(one, metadata.labels)) &&
    matchFields.every((one) => fitsRequirement(one, fields))
  )
}

function fitsRequirement(
  { key, operator, values = [] }: { key: string; operator: string; values?: string[] },
  labels: Readonly<Record<string, string>> = {},
): boolean {
  if (operator !== "Gt" && operator !== "Lt") return selects({ matchExpressions: [{ key, operator, values }] }, labels)
  const [value, bound] = [labels[key], values[0]].map((text) => (/^-?\d+$/.test(text ?? "") ? Number(text) : undefined))
  if (value === undefined || bound === undefined) return false
  return operator === "Gt" ? value > bound : value < bound
}

/** What the others on the node are. */
export function neighbourRefusal(pod: KeptPod, { node, others, labelsOf }: Surroundings): Refusal | undefined {
  const ports = hostPorts(pod)
  if (
    ports.length > 0 &&
    others.some((other) => hostPorts(other).some((one) => ports.some((port) => clash(one, port))))
  )
    return passing("node(s) didn't have free ports for the requested pod ports")
  const labels = node.metadata.labels ?? {}
  for (const constraint of pod.spec?.topologySpreadConstraints ?? []) {
    const {
      topologyKey,
      maxSkew,
      whenUnsatisfiable,
      labelSelector,
      minDomains = 1,
      matchLabelKeys,
    } = constraint as {
      minDomains?: number
      matchLabelKeys?: string[]
    } & typeof constraint
    if (whenUnsatisfiable !== "DoNotSchedule") continue
    if (labels[topologyKey] === undefined)
      return lasting("node(s) didn't match pod topology spread constraints (missing required label)")
    const selector = withLabelKeys(labelSelector, pod, matchLabelKeys)
    const own = Number(selects(selector, pod.metadata.labels))
    // one domain is as full as itself: only where more are asked for it is too full
    const there = others.filter(
      ({ metadata }) =>
        metadata.namespace === pod.metadata.namespace &&
        metadata.deletionTimestamp === undefined &&
        selects(selector, metadata.labels),
    ).length
    if (minDomains > 1 && there + own > maxSkew) return passing("node(s) didn't match pod topology spread constraints")
  }
  return affinityRefusal(pod, { node, others, labelsOf })
}

function affinityRefusal(pod: KeptPod, { node, others, labelsOf }: Surroundings): Refusal | undefined {
  const has = ({ topologyKey }: PodAffinityTerm): boolean => node.metadata.labels?.[topologyKey] !== undefined
  const fits = (of: KeptPod, term: PodAffinityTerm, other: KeptPod): boolean =>
    isMeantNamespace(of, term, other, labelsOf) && selects(termSelector(of, term), other.metadata.labels)
  const wanted = pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  // the first of those that want each other must begin
  const isFirst = !wanted.some((term) => others.some((other) => fits(pod, term, other)))
  const begins = isFirst && wanted.every((term) => fits(pod, term, pod))
  if (wanted.some((term) => !has(term) || (!begins && !others.some((other) => fits(pod, term, other)))))
    return lasting("node(s) didn't match pod affinity rules")
  const unwanted = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  if (unwanted.some((term) => has(term) && others.some((other) => fits(pod, term, other))))
    return passing("node(s) didn't match pod anti-affinity rules")
  const isRefused = others.some((other) =>
    (other.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(
      (term) => has(term) && fits(other, term, pod),
    ),
  )
  return isRefused ? passing("node(s) didn't satisfy existing pods anti-affinity rules") : undefined
}

/** Those that are named and those that are selected; its own where a term says neither. */
function isMeantNamespace(
  of: KeptPod,
  { namespaces = [], namespaceSelector }: PodAffinityTerm,
  other: KeptPod,
  labelsOf: Surroundings["labelsOf"],
): boolean {
  const namespace = other.metadata.namespace ?? ""
  if (namespaces.length === 0 && namespaceSelector === undefined) return namespace === of.metadata.namespace
  return namespaces.includes(namespace) || selects(namespaceSelector, labelsOf(namespace))
}

function termSelector(of: KeptPod, term: PodAffinityTerm): LabelSelector | undefined {
  const { labelSelector, matchLabelKeys, mismatchLabelKeys } = term as PodAffinityTerm & {
    matchLabelKeys?: string[]
    mismatchLabelKeys?: string[]
  }
  return withLabelKeys(labelSelector, of, matchLabelKeys, mismatchLabelKeys)
}

/** With the pod's own values of these labels; of those that it has not nothing is asked. */
function withLabelKeys(
  selector: LabelSelector | undefined,
  { metadata }: KeptPod,
  same: readonly string[] = [],
  other: readonly string[] = [],
): LabelSelector | undefined {
  if (selector === undefined || same.length + other.length === 0) return selector
  const asked = [...same.map((key) => ({ key, operator: "In" })), ...other.map((key) => ({ key, operator: "NotIn" }))]
  const more = asked.flatMap(({ key, operator }) => {
    const value = metadata.labels?.[key]
    return value === undefined ? [] : [{ key, operator, values: [value] }]
  })
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...more] }
}

function hostPorts({ spec }: KeptPod): ContainerPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always")
  return [...sidecars, ...(spec?.containers ?? [])].flatMap(({ ports = [] }) =>
    ports.flatMap((port) => {
      const hostPort = port.hostPort ?? (spec?.hostNetwork ? port.containerPort : undefined)
      return hostPort === undefined || hostPort === 0 ? [] : [{ ...port, hostPort }]
    }),
  )
}

function clash(one: ContainerPort, other: ContainerPort): boolean {
  const [a, b] = [one.hostIP ?? "", other.hostIP ?? ""].map((ip) => (ip === "0.0.0.0" || ip === "::" ? "" : ip))
  return (
    one.hostPort === other.hostPort &&
    (one.protocol ?? "TCP") === (other.protocol ?? "TCP") &&
    (a === b || a === "" || b === "")
  )
}
