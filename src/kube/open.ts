import { statSync } from "node:fs"
import { FailedPrecondition, InvalidArgument, isSkiffError, NotFound } from "../base/errors.ts"
import type { Container } from "../container/container.ts"
import type { Pod } from "../pod/pod.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import type { Volumes } from "../volume/volume.ts"
import type { Kube, KubeObject } from "./kube.ts"
import { kubeName } from "./names.ts"
import type { PlayDeps } from "./play/play.ts"
import { podObject, type KubeMember, type PodPlan } from "./pod-object.ts"
import { serviceObject } from "./services.ts"
import { workloadObject } from "./workloads.ts"

/** What the documents are made of, and made into. */
export type KubeDeps = PlayDeps

/** Documents of one store. */
export function openKube(deps: KubeDeps): Kube {
  return {
    fromCompose: async (project, options) =>
      (await import("./from-compose/convert-project.ts")).convertProject(project, options),
    play: async (files, options) => (await import("./play/play.ts")).playFiles(deps, files, options),
    down: async (files, options) => (await import("./play/down.ts")).downFiles(deps, files, options),
    async manifests(names, options = {}) {
      const found = await findAll(deps, names)
      const plans = await Promise.all([
        ...found.pods.map((pod) => planOfPod(deps, pod)),
        ...(found.containers.length === 0 ? [] : [planOfContainers(deps, found.containers)]),
      ])
      const { podmanOnly = false } = options
      const pods = plans.map((plan) => ({ object: podObject({ ...plan, podmanOnly }), ports: portsOf(plan) }))
      const services = options.service ? pods.flatMap(({ object, ports }) => serviceObject(object, ports) ?? []) : []
      return [...found.claims, ...services, ...pods.map(({ object }) => workloadObject(object, options))]
    },
  }
}

interface Found {
  pods: Pod[]
  containers: Container[]
  claims: KubeObject[]
}

/** Containers go before pods, and pods before volumes. */
async function findAll(deps: KubeDeps, names: readonly string[]): Promise<Found> {
  const found: Found = { pods: [], containers: [], claims: [] }
  for (const name of names) {
    const container = await ifThere(() => deps.containers.get(name))
    if (container?.options.pod !== undefined)
      throw new InvalidArgument(
        `container "${container.name}" is associated with pod "${container.options.pod.name}"`,
        {
          hint: "name the pod",
        },
      )
    const pod = container ? undefined : await ifThere(() => deps.pods.get(name))
    const volume = container || pod ? undefined : await ifThere(() => deps.volumes.get(name))
    if (container) found.containers.push(container)
    else if (pod) found.pods.push(pod)
    else if (volume) found.claims.push(claimObject(volume))
    else throw new NotFound(`name or ID "${name}" not found: no container, pod or volume is called so`)
  }
  return found
}

async function ifThere<T>(find: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await find()
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}

async function membersOf({ containers, images }: KubeDeps, all: readonly Container[]): Promise<KubeMember[]> {
  return Promise.all(
    all.map(async ({ id, imageId }) => {
      const image = images.find(imageId)
      const config = image && (await images.config(image))
      return { details: await containers.inspect(id), image: config?.config ?? {} }
    }),
  )
}

async function planOfPod(deps: KubeDeps, pod: Pod): Promise<PodPlan> {
  const { options, name, createdAt } = pod
  if (pod.containers.length === 0)
    throw new FailedPrecondition(`pod "${name}" only has an infra container`, { hint: "put a container into it first" })
  return {
    name,
    createdAt,
    members: await membersOf(deps, pod.containers),
    ...(options.labels && { labels: options.labels }),
    ...(options.sysctls && { sysctls: options.sysctls }),
    ...(options.sandboxName !== undefined && { sandboxName: options.sandboxName }),
    ...(options.hostname !== undefined && { hostname: options.hostname }),
    ...(options.network && { network: options.network }),
    ...(options.namespaces && { namespaces: options.namespaces }),
    ...(options.ports && { ports: options.ports }),
    ...(options.restart && { restart: options.restart }),
    ...(options.extraHosts && { extraHosts: options.extraHosts }),
    sharesProcesses: options.shares?.includes("pid") ?? false,
    dns: { dns: options.dns ?? [], dnsSearch: options.dnsSearch ?? [], dnsOptions: options.dnsOptions ?? [] },
    isFile,
  }
}

/** One pod of containers that were made alone: what is a pod's to say, the first says. */
async function planOfContainers(deps: KubeDeps, containers: readonly Container[]): Promise<PodPlan> {
  const members = await membersOf(deps, containers)
  const [first] = members
  const { name = "", createdAt = new Date() } = first?.details ?? {}
  const { hostname, network, namespaces, dns, dnsSearch, dnsOptions } = first?.details.options ?? {}
  return {
    name: `${name}-pod`,
    createdAt,
    members,
    ...(hostname !== undefined && { hostname }),
    ...(network && { network }),
    ...(namespaces && { namespaces }),
    dns: { dns: dns ?? [], dnsSearch: dnsSearch ?? [], dnsOptions: dnsOptions ?? [] },
    extraHosts: members.flatMap(({ details }) => details.options.extraHosts),
    isFile,
  }
}

function portsOf({ ports, members }: PodPlan): readonly PortMapping[] {
  return ports !== undefined && ports.length > 0 ? ports : members.flatMap(({ details }) => details.run.ports)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function claimObject({ name, labels, createdAt }: ReturnType<Volumes["get"]>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: kubeName(name),
      annotations: { "volume.podman.io/driver": "local" },
      creationTimestamp: createdAt.toISOString().replace(/\.\d+Z$/, "Z"),
      ...(Object.keys(labels).length > 0 && { labels }),
    },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    status: {},
  }
}
