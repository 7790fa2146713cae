import type { Namespace } from "kubernetes-types/core/v1"
import { publishAuthority } from "../api/admission/service-account.ts"
import { withCondition } from "./conditions.ts"
import type { Controller } from "./controller.ts"
import { withoutFinalizer } from "./garbage.ts"
import type { Kept } from "./kept.ts"
import type { ControllerDeps } from "./pod-control.ts"

const NOT_WATCHED = ["events", "leases.coordination.k8s.io"]

/** Ends all that is in a namespace that is being deleted, then lets it go; gives each namespace what a cluster puts there. */
export function namespaceController({ cluster, now, authority }: ControllerDeps): Controller {
  return {
    name: "namespace-controller",
    *keysOf({ resource, object, type }) {
      if (resource === "namespaces") yield object.metadata.name
      const { namespace } = object.metadata
      if (namespace === undefined || type !== "DELETED") return
      yield namespace
    },
    reconcile(name) {
      const namespace = cluster.find<Namespace>("namespaces", name)
      if (namespace === undefined) return undefined
      if (namespace.metadata.deletionTimestamp === undefined) return void giveAccount(name)
      let left = 0
      for (const [resource, objects] of cluster.resources())
        for (const object of [...objects.values()].filter(({ metadata }) => metadata.namespace === name)) {
          left++
          if (object.metadata.deletionTimestamp === undefined) cluster.delete(resource, object)
        }
      for (const resource of NOT_WATCHED)
        for (const { metadata } of cluster.objects.list(resource, { namespace: name }).items)
          cluster.objects.delete(resource, metadata.name, name)
      const remaining = [...cluster.resources()].flatMap(([resource, objects]) => {
        const count = [...objects.values()].filter(({ metadata }) => metadata.namespace === name).length
        return count === 0 ? [] : [`${resource} has ${count} resource instances`]
      })
      if (remaining.length === 0) return void withoutFinalizer(cluster, "namespaces", namespace, "kubernetes")
      cluster.patchStatus<Namespace>("namespaces", namespace, ({ status }) => ({
        phase: "Terminating",
        conditions: withCondition(
          status?.conditions as never,
          {
            type: "NamespaceContentRemaining",
            status: "True",
            reason: "SomeResourcesRemain",
            message: `Some resources are remaining: ${remaining.join(", ")}`,
          },
          now(),
        ),
      }))
      return left > 0 ? 5_000 : undefined
    },
  }

  /** Pods name it when they name none. */
  function giveAccount(namespace: string): void {
    if (cluster.find<Kept<object>>("serviceaccounts", "default", namespace) === undefined)
      cluster.create("serviceaccounts", {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "default", namespace },
      })
    const certificate = authority?.()
    if (certificate !== undefined) publishAuthority(cluster.objects, namespace, certificate)
  }
}
