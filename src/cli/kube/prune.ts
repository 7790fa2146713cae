import { LAST_APPLIED, textAt, textsAt, titleOf, type Applied, type KubeClient } from "../../kube/kube.ts"
import type { Out } from "../out.ts"

/** Kinds that are pruned where no others are named (kubectl, pruneResources). */
const PRUNED = [
  "configmaps",
  "endpoints",
  "namespaces",
  "persistentvolumeclaims",
  "persistentvolumes",
  "pods",
  "replicationcontrollers",
  "secrets",
  "services",
  "jobs.batch",
  "cronjobs.batch",
  "ingresses.networking.k8s.io",
  "daemonsets.apps",
  "deployments.apps",
  "replicasets.apps",
  "statefulsets.apps",
]

interface PruneFlags {
  namespace?: string | undefined
  selector?: string | undefined
  pruneAllowlist: readonly string[]
  cascade?: string | undefined
  gracePeriod?: number | undefined
  isDry: boolean
  suffix: string
}

/** Deletes what was applied before and is in no manifest now: of the namespaces that were applied to. */
export async function prune(
  client: KubeClient,
  out: Out,
  applied: readonly Applied[],
  flags: PruneFlags,
): Promise<void> {
  const kept = new Set(applied.map(({ object }) => textAt(object, "metadata", "uid")))
  const namespaces = new Set(
    applied.map(({ object }) => textAt(object, "metadata", "namespace")).filter((name) => name !== ""),
  )
  const words = flags.pruneAllowlist.length > 0 ? flags.pruneAllowlist.map(kindWord) : PRUNED
  for (const word of words) {
    const kind = await client.kindNamed(word)
    for (const namespace of kind.namespaced ? namespaces : [undefined]) {
      const { items } = await client.list(kind, { namespace, labelSelector: flags.selector })
      for (const object of items) {
        if (kept.has(textAt(object, "metadata", "uid"))) continue
        if (textsAt(object, "metadata", "annotations")[LAST_APPLIED] === undefined) continue
        const name = textAt(object, "metadata", "name")
        await client.delete(kind, name, namespace, {
          dryRun: flags.isDry,
          gracePeriodSeconds: flags.gracePeriod,
          propagationPolicy: propagation(flags.cascade),
        })
        out.line(`${titleOf(kind, name)} pruned${flags.suffix}`)
      }
    }
  }
}

/** `apps/v1/Deployment`, `core/v1/Pod`. */
function kindWord(text: string): string {
  const [group = "", , kind = ""] = text.split("/")
  return group === "core" || group === "" ? kind : `${kind}.${group}`
}

/** `foreground` → `Foreground`. */
export function propagation(cascade = "background"): string {
  return cascade.replace(/^./, (letter) => letter.toUpperCase())
}
