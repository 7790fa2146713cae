import { log } from "../../base/log.ts"
import type { Project } from "../../compose/compose.ts"
import type { Engine } from "../../engine/engine.ts"
import { isSkiffError } from "../../base/errors.ts"
import type { KubeObject } from "../../kube/kube.ts"
import { textAt, textsAt, type KubeClient, type ResourceKind, type Tree } from "../../kube/kube.ts"
import { callerEnvironment } from "../../sys/process/caller-environment.ts"

/** Docker's own label of what belongs to a stack. */
export const STACK_LABEL = "com.docker.stack.namespace"

/** Kinds that a stack becomes, in the order of their going: what runs first. */
const KINDS = [
  "deployments.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "jobs.batch",
  "networkpolicies.networking.k8s.io",
  "services",
  "configmaps",
  "secrets",
  "persistentvolumeclaims",
]
/** Of them those that are services of a stack. */
export const WORKLOADS = KINDS.slice(0, 4)

/** A stack file as a project of that name. Its warnings go to the log. */
export async function stackProject(
  engine: Engine,
  files: readonly string[],
  name: string | undefined,
): Promise<Project> {
  const compose = await engine.compose()
  const { project, warnings } = await compose.load({
    currentDirectory: process.cwd(),
    files,
    readStandardInput: async () => (await import("node:stream/consumers")).text(process.stdin),
    projectName: name,
    profiles: [],
    environmentFiles: [],
    environment: callerEnvironment(),
  })
  for (const { message } of warnings) log.warn(message)
  return project
}

/** The objects with the stack's label, after the namespace that they lie in. */
export function labelled(objects: readonly KubeObject[], stack: string, namespace: string): KubeObject[] {
  const marked = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, [STACK_LABEL]: stack } },
  })
  // the default one is there, and nobody's
  const own: KubeObject[] =
    namespace === "default" ? [] : [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }]
  return [...own, ...objects].map(marked)
}

/** An object of a stack. */
export interface StackObject {
  kind: ResourceKind
  object: Tree
  stack: string
  namespace: string
  name: string
}

/** What is there of a stack, or of all; in a namespace, or in all. Kinds that a server has not are passed over. */
export async function stackObjects(
  client: KubeClient,
  { stack, namespace, words = KINDS }: { stack?: string; namespace?: string | undefined; words?: readonly string[] },
): Promise<StackObject[]> {
  const found: StackObject[] = []
  for (const word of words) {
    const kind = await client.kindNamed(word).catch((error: unknown) => {
      if (isSkiffError(error, "NotFound")) return undefined
      throw error
    })
    if (kind === undefined) continue
    const labelSelector = stack === undefined ? STACK_LABEL : `${STACK_LABEL}=${stack}`
    const { items } = await client.list(kind, { namespace: kind.namespaced ? namespace : undefined, labelSelector })
    for (const object of items)
      found.push({
        kind,
        object,
        stack: textsAt(object, "metadata", "labels")[STACK_LABEL] ?? "",
        namespace: textAt(object, "metadata", "namespace"),
        name: textAt(object, "metadata", "name"),
      })
  }
  return found
}
