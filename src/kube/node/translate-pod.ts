import type { Container } from "kubernetes-types/core/v1"
import { containerOptions } from "./container-options.ts"
import { fieldFault, Warnings } from "./field-fault.ts"
import { hooksOf } from "./hooks.ts"
import type { NodeContainer, NodeInput, NodePod, NodeVolume } from "./node-pod.ts"
import { checkAnnotations, clusterAnnotations, type Annotations } from "./pod-annotations.ts"
import { podOptions, restartPolicy } from "./pod-options.ts"
import { probesOf } from "./probes.ts"
import { warnOfContainer, warnOfPod } from "./unhonoured.ts"
import { pullOf, volumesOf } from "./volumes.ts"

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,252}$/
const MAX_CONTAINERS = 200

interface Placed {
  container: Container
  path: string
  role: NodeContainer["role"]
}

/**
 * What a node makes of a Pod. Throws InvalidArgument and NotFound, `data.path` saying which field; for the same input it gives the
 * same. Pure.
 */
export function translatePod(input: NodeInput): NodePod {
  const { pod } = input
  if (pod.spec?.os?.name !== undefined && pod.spec.os.name !== "linux")
    throw fieldFault("spec.os.name", `this node runs Linux, not ${pod.spec.os.name.slice(0, 40)}`)
  const warnings = new Warnings()
  const annotations = annotationsOf(input)
  const placed = placedContainers(input)
  warnOfPod(pod, warnings)
  const options = podOptions(input, annotations, warnings)
  const volumes = volumesOf({ ...input, warnings })
  const restart = restartPolicy(pod.spec?.restartPolicy)
  const names = new Map<string, string>()
  const engineName = input.containerName ?? ((name: string) => `${options.name}-${name}`)
  const subpaths = new Map<string, Set<string>>()
  const containers = placed.map(({ container, path, role }): NodeContainer => {
    warnOfContainer(container, path, warnings)
    const probes = probesOf(container, path)
    const hooks = hooksOf(container, path)
    const name = engineName(container.name)
    const made = containerOptions({
      input,
      container,
      path,
      role,
      volumes,
      annotations,
      probes,
      restart,
      names,
      engineName: name,
      warnings,
    })
    for (const { volume, subpath } of made.subpaths)
      subpaths.set(volume, (subpaths.get(volume) ?? new Set()).add(subpath))
    names.set(container.name, name)
    const pull = pullOf(container.imagePullPolicy, container.image ?? "", `${path}.imagePullPolicy`)
    return { name: container.name, path, role, options: made.options, pull, probes, hooks }
  })
  return {
    pod: options,
    containers,
    volumes: [...volumes].map(([name, volume]) => withSubpaths(volume, subpaths.get(name))),
    warnings: warnings.list,
  }
}

/** Those that have an effect. */
function annotationsOf({ pod, withoutEngineAnnotations = false }: NodeInput): Annotations {
  const annotations = pod.metadata?.annotations ?? {}
  if (withoutEngineAnnotations) return clusterAnnotations(annotations)
  checkAnnotations(annotations)
  return annotations
}

function withSubpaths(volume: NodeVolume, subpaths: ReadonlySet<string> = new Set()): NodeVolume {
  return "subpaths" in volume ? { ...volume, subpaths: [...subpaths] } : volume
}

/** In the order of their making. */
function placedContainers({ pod }: NodeInput): Placed[] {
  const { initContainers = [], containers } = pod.spec ?? { containers: [] }
  if (!Array.isArray(containers) || containers.length === 0) throw fieldFault("spec.containers", "names no container")
  if (initContainers.length + containers.length > MAX_CONTAINERS)
    throw fieldFault("spec.containers", `has more than ${MAX_CONTAINERS} containers`)
  const placed = [
    ...initContainers.map((container, index) => ({
      container,
      path: `spec.initContainers[${index}]`,
      role: initRole(container, `spec.initContainers[${index}]`),
    })),
    ...containers.map((container, index) => ({ container, path: `spec.containers[${index}]`, role: "main" as const })),
  ]
  checkNames(placed, pod.metadata?.name ?? "")
  return placed
}

/** With `restartPolicy: Always` it stays beside the others. */
function initRole(container: Container, path: string): "init" | "sidecar" {
  if (container.restartPolicy === "Always") return "sidecar"
  if (container.restartPolicy) throw fieldFault(`${path}.restartPolicy`, "may be Always alone")
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container
  if (lifecycle ?? livenessProbe ?? readinessProbe ?? startupProbe)
    throw fieldFault(
      path,
      "cannot create an init container that has either of lifecycle, livenessProbe, readinessProbe, or startupProbe set",
    )
  return "init"
}

function checkNames(placed: readonly Placed[], pod: string): void {
  const names = new Set<string>()
  for (const { container, path } of placed) {
    const { name = "" } = container
    if (!NAME.test(name))
      throw fieldFault(
        `${path}.name`,
        name === "" ? "the container has no name" : `"${name.slice(0, 100)}" is no name of a container`,
      )
    if (names.has(name))
      throw fieldFault(`${path}.name`, `the pod "${pod}" is invalid; duplicate container name "${name}" detected`)
    names.add(name)
  }
}
