/** What Kubernetes cannot say of containers, and podman's YAML says by annotations. Pure. */
import type { ContainerDetails, ContainerOptions } from "../container/container.ts"

const PODMAN = "io.podman.annotations."

/** One container by its name in the pod. */
export interface AnnotatedMember {
  name: string
  details: Pick<ContainerDetails, "options">
}

/** Those of a pod. `podmanOnly`: also those that no cluster may ever see. `sandboxName`: where it was chosen. */
export function podmanAnnotations(
  members: readonly AnnotatedMember[],
  { podmanOnly = false, sandboxName }: { podmanOnly?: boolean | undefined; sandboxName?: string | undefined },
): Record<string, string> | undefined {
  const entries = [
    ...(sandboxName === undefined ? [] : [[`${PODMAN}infra.name`, sandboxName]]),
    ...ulimitsOf(members),
    ...members.flatMap(({ name, details: { options } }) =>
      [...limitsOf(options), ...(podmanOnly ? reservedOf(options) : [])].map(([key, value]) => [
        `${PODMAN}${key}/${name}`,
        value,
      ]),
    ),
    ...members.flatMap(({ details: { options } }) =>
      options.userNamespace?.kind === "keep-id" ? [[`${PODMAN}userns`, "keep-id"]] : [],
    ),
  ]
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Record<string, string>)
}

/** Of the pod: the first container's, as podman reads them for all. */
function ulimitsOf(members: readonly AnnotatedMember[]): [string, string][] {
  const ulimits = members.find(({ details }) => (details.options.ulimits ?? []).length > 0)?.details.options.ulimits
  if (ulimits === undefined) return []
  return [[`${PODMAN}ulimit`, ulimits.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`).join(",")]]
}

function limitsOf({ initContainer, resources = {} }: ContainerOptions): [string, string][] {
  const { pidsLimit, cpusetCpus, cpusetMems } = resources
  return [
    ...pair("init.container.type", initContainer === "sidecar" ? undefined : initContainer),
    ...pair("pids-limit", pidsLimit === undefined ? undefined : String(pidsLimit)),
    ...pair("cpuset", cpusetCpus),
    ...pair("memory-nodes", cpusetMems),
  ]
}

function reservedOf(options: ContainerOptions): [string, string][] {
  const { init, autoRemove, privileged, publishAll, securityOptions = [], volumesFrom = [] } = options
  const words = (kind: string): string[] =>
    securityOptions.flatMap((word) => (word.startsWith(`${kind}=`) ? [word.slice(kind.length + 1)] : []))
  const sources = volumesFrom.map(({ container, readOnly }) =>
    readOnly === undefined ? container : `${container}:${readOnly ? "ro" : "rw"}`,
  )
  return [
    ...pair("init", init ? "TRUE" : undefined),
    ...pair("autoremove", autoRemove ? "TRUE" : undefined),
    ...pair("privileged", privileged ? "TRUE" : undefined),
    ...pair("publish-all", publishAll ? "TRUE" : undefined),
    ...pair("seccomp", words("seccomp").at(-1)),
    ...pair("apparmor", words("apparmor").at(-1)),
    ...pair("label", words("label").join(",label=") || undefined),
    ...pair("volumes-from", sources.join(";") || undefined),
  ]
}

function pair(key: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[key, value]]
}
