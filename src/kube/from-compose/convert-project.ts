import type { Project, Service } from "../../compose/compose.ts"
import type { KubeObject } from "../kube-object.ts"
import { claimObjects } from "./claims.ts"
import { containerOf } from "./container.ts"
import type { ConvertedProject, ConvertOptions, ServicePlan } from "./convert-options.ts"
import { fileObjects } from "./files.ts"
import { lostKeys, type Loss } from "./losses.ts"
import { policyObjects } from "./network-policies.ts"
import { losePodKeys, podSpecOf } from "./pod.ts"
import { serviceObjects } from "./services.ts"
import { volumesOf } from "./volumes.ts"
import { workloadOf } from "./workload.ts"
import { clusterName } from "./cluster-name.ts"

/**
 * A compose project as objects of a cluster: claims, config maps and secrets, services, workloads. Every key that they do not say is told,
 * with its path; kompose reads 32 of a service's 93 keys and is silent on most of the others. Pure but for `readFile`.
 */
export function convertProject(project: Project, options: ConvertOptions): ConvertedProject {
  const losses: Loss[] = []
  const before = [...claimObjects(project, options, losses), ...fileObjects(project, options, losses)]
  const ending = endingServices(project)
  const plans = Object.entries(project.services)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, service]) => planOf(project, key, { service, options, losses }))
  const own = plans.map((plan) => objectsOf(plan, ending.has(plan.key)))
  const objects = [
    ...before,
    ...own.flatMap(({ files }) => files),
    ...plans.flatMap(serviceObjects),
    ...own.map(({ workload }) => workload),
    ...(options.networkPolicies === true ? policyObjects(project) : []),
  ]
  loseNetworkKeys(project, options, losses)
  return { objects: objects.map((object) => inNamespace(object, options.namespace)), losses: unique(losses) }
}

function planOf(
  project: Project,
  key: string,
  { service, options, losses }: { service: Service; options: ConvertOptions; losses: Loss[] },
): ServicePlan {
  losses.push(...lostKeys(key, service))
  const name = clusterName(key)
  const networks = Object.keys(service.networks ?? {})
  const labels = {
    "app.kubernetes.io/name": name,
    "app.kubernetes.io/instance": project.name,
    "app.kubernetes.io/managed-by": "skiff",
    ...Object.fromEntries(networks.map((network) => [`network.skiff/${clusterName(network)}`, "true"])),
  }
  return { project, key, service, name, labels, options, lose: (path, reason) => void losses.push({ path, reason }) }
}

function objectsOf(plan: ServicePlan, endsByItself: boolean): { files: KubeObject[]; workload: KubeObject } {
  const { service, key, options, project, lose } = plan
  const { volumes, mounts, objects, claims } = volumesOf(plan)
  const image = options.images?.[key] ?? service.image ?? `${project.name}-${key}`
  if (service.build && options.images?.[key] === undefined)
    lose(
      `services.${key}.build`,
      `clusters build no images: build "${image}", and push it to where the cluster pulls from`,
    )
  losePodKeys(plan)
  const { container, secret } = containerOf(plan, image, mounts)
  const workload = workloadOf(plan, podSpecOf(plan, container, volumes), { endsByItself, claims })
  return { files: [...objects, ...(secret ? [secret] : [])], workload }
}

/** Services that another one wants to have ended well. */
function endingServices({ services }: Project): Set<string> {
  return new Set(
    Object.values(services).flatMap(({ depends_on: dependencies = {} }) =>
      Object.entries(dependencies).flatMap(([name, { condition }]) =>
        condition === "service_completed_successfully" ? [name] : [],
      ),
    ),
  )
}

function loseNetworkKeys({ networks }: Project, options: ConvertOptions, losses: Loss[]): void {
  for (const [name, network] of Object.entries(networks)) {
    const lose = (key: string, reason: string) => losses.push({ path: `networks.${name}.${key}`, reason })
    if (network.driver !== undefined && network.driver !== "bridge")
      lose("driver", "all pods are on the cluster's network")
    if (network.ipam && Object.keys(network.ipam).length > 0) lose("ipam", "the cluster gives addresses")
    if (network.internal === true && options.networkPolicies !== true)
      lose("internal", "pods reach the world unless a NetworkPolicy forbids it: ask for those")
    for (const key of ["driver_opts", "enable_ipv6", "attachable"] as const)
      if (network[key] !== undefined && network[key] !== false) lose(key, "the cluster's network has no such choice")
  }
}

function inNamespace(object: KubeObject, namespace: string | undefined): KubeObject {
  return namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } }
}

function unique(losses: readonly Loss[]): Loss[] {
  return [...new Map(losses.map((loss) => [loss.path, loss])).values()]
}
