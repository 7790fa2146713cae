import type { Service } from "../../compose/compose.ts"
import type { KubeObject } from "../kube-object.ts"
import type { ServicePlan } from "./convert-options.ts"
import { secondsOf } from "./quantities.ts"
import { selectorOf } from "./services.ts"

/** What makes the pods: a Job where they are to end, a DaemonSet for one on each node, else a Deployment. Pure. */
export function workloadOf(
  plan: ServicePlan,
  podSpec: object,
  { endsByItself, claims }: { endsByItself: boolean; claims: readonly string[] },
): KubeObject {
  const { service, name, labels, key, lose } = plan
  const { deploy = {} } = service
  const metadata = { name, labels: { ...labels }, annotations: annotationsOf(plan) }
  const template = { metadata: { labels: { ...labels }, annotations: metadata.annotations }, spec: podSpec }
  const selector = { matchLabels: selectorOf(plan) }
  const replicas = service.scale ?? deploy.replicas ?? 1
  const restart = restartOf(service)
  if (restart.seconds !== undefined && restart.kind !== "job")
    lose(
      `services.${key}.deploy.restart_policy.delay`,
      "the kubelet waits longer after each failure, from 10 seconds to 5 minutes",
    )
  if (endsByItself || restart.kind === "job") {
    const spec = { ...podSpec, restartPolicy: restart.retries === 0 ? "Never" : "OnFailure" }
    return {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata,
      spec: {
        backoffLimit: restart.retries,
        completions: replicas === 1 ? undefined : replicas,
        parallelism: replicas === 1 ? undefined : replicas,
        template: { ...template, spec },
      },
    }
  }
  if (deploy.mode === "global")
    return { apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec: { selector, template } }
  if (deploy.rollback_config)
    lose(`services.${key}.deploy.rollback_config`, "a Deployment goes back by `kubectl rollout undo`")
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: { replicas, selector, strategy: strategyOf(service, claims), template },
  }
}

/** What of `restart` and `deploy.restart_policy` a cluster can keep. */
function restartOf({ restart, deploy }: Service): {
  kind: "always" | "job"
  retries?: number | undefined
  seconds?: number | undefined
} {
  const policy = deploy?.restart_policy
  if (policy?.condition === "none") return { kind: "job", retries: 0 }
  if (policy?.condition === "on-failure")
    return { kind: "job", retries: policy.max_attempts, seconds: secondsOf(policy.delay) }
  if (policy) return { kind: "always", seconds: secondsOf(policy.delay) }
  if (restart === "no") return { kind: "job", retries: 0 }
  const [, count] = /^on-failure(?::(\d+))?$/.exec(restart ?? "") ?? []
  if (restart?.startsWith("on-failure"))
    return { kind: "job", retries: count === undefined ? undefined : Number(count) }
  return { kind: "always" }
}

/** A claim that one node may write is let go before another pod takes it. */
function strategyOf({ deploy }: Service, claims: readonly string[]): object | undefined {
  const { order, parallelism } = deploy?.update_config ?? {}
  if (claims.length > 0) return { type: "Recreate" }
  if (order === undefined && parallelism === undefined) return undefined
  const many = parallelism === undefined || parallelism === 0 ? "100%" : parallelism
  return {
    type: "RollingUpdate",
    rollingUpdate:
      order === "start-first" ? { maxSurge: many, maxUnavailable: 0 } : { maxSurge: 0, maxUnavailable: many },
  }
}

/** Labels of the service that are none there, its annotations, and what `deploy.labels` says. */
function annotationsOf({ service, key, lose }: ServicePlan): Record<string, string> | undefined {
  const all = { ...service.annotations, ...service.labels, ...service.deploy?.labels }
  const entries = Object.entries(all).flatMap(([name, value]): [string, string][] => {
    if (/^(?:[\w.-]{1,253}\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/.test(name)) return [[name, value ?? ""]]
    lose(`services.${key}.labels.${name}`, "it is no name of an annotation there")
    return []
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** What of `deploy.placement` a pod can say. Pure. */
export function placementOf({ service, key, lose, labels }: ServicePlan): object {
  const { constraints = [], preferences = [], max_replicas_per_node: most } = service.deploy?.placement ?? {}
  const expressions = constraints.flatMap((text, index) => {
    const [, subject = "", operator = "", value = ""] = /^\s*(\S+?)\s*(==|!=)\s*(.+?)\s*$/.exec(text) ?? []
    const label = nodeLabel(subject)
    if (label !== undefined) return [{ key: label, operator: operator === "==" ? "In" : "NotIn", values: [value] }]
    lose(`services.${key}.deploy.placement.constraints[${index}]`, `nodes have no label for "${subject || text}"`)
    return []
  })
  const spread = preferences.flatMap(({ spread: subject = "" }, index) => {
    const label = nodeLabel(subject)
    if (label !== undefined) return [label]
    lose(`services.${key}.deploy.placement.preferences[${index}]`, `nodes have no label for "${subject}"`)
    return []
  })
  const labelSelector = { matchLabels: selectorOf({ labels }) }
  const constraintsOf = [
    ...spread.map((topologyKey) => ({ maxSkew: 1, topologyKey, whenUnsatisfiable: "ScheduleAnyway", labelSelector })),
    ...(most === undefined
      ? []
      : [{ maxSkew: most, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "DoNotSchedule", labelSelector }]),
  ]
  return {
    ...(expressions.length === 0
      ? {}
      : {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: expressions }],
              },
            },
          },
        }),
    ...(constraintsOf.length === 0 ? {} : { topologySpreadConstraints: constraintsOf }),
  }
}

function nodeLabel(subject: string): string | undefined {
  if (subject === "node.hostname") return "kubernetes.io/hostname"
  if (subject === "node.platform.os") return "kubernetes.io/os"
  if (subject === "node.platform.arch") return "kubernetes.io/arch"
  return /^node\.labels\.(.+)$/.exec(subject)?.[1]
}
