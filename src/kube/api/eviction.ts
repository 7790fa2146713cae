import { at, isTree, numberAt, textAt, textsAt } from "../field.ts"
import { partAdmitted } from "./admission/webhooks/admitted.ts"
import type { ApiResponse } from "./api.ts"
import type { ResourceRequest } from "./context.ts"
import { labelSelectorTest } from "./selectors.ts"
import { statusError } from "./status.ts"
import { methodNotAllowed, read, writing } from "./write.ts"

const RETRY_SECONDS = 10

/** Deletes a pod where its PodDisruptionBudgets allow it (policy/v1 Eviction). Throws TooManyRequests where they do not. */
export function evict(context: ResourceRequest): ApiResponse {
  const { deps, request, target } = context
  if (request.method !== "POST") throw methodNotAllowed()
  writing(context, () => {
    const pod = read(context)
    partAdmitted(context, "CREATE", {
      ...(isTree(request.body) ? request.body : {}),
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: pod.metadata.name, namespace: target.namespace },
    })
    const labels = textsAt(pod, "metadata", "labels")
    const budgets = deps.objects.list("poddisruptionbudgets.policy", {
      namespace: target.namespace,
      fits: (one) => labelSelectorTest(at(one, "spec", "selector"))(labels),
    }).items
    const isReady = textAt(pod, "status", "phase") === "Running"
    for (const budget of isReady ? budgets : [])
      if ((numberAt(budget, "status", "disruptionsAllowed") ?? 0) <= 0)
        throw statusError("Unavailable", "Cannot evict pod as it would violate the pod's disruption budget.", {
          reason: "TooManyRequests",
          retryAfterSeconds: RETRY_SECONDS,
          causes: [
            {
              reason: "DisruptionBudget",
              field: "",
              message: `The disruption budget ${budget.metadata.name} needs ${numberAt(budget, "status", "desiredHealthy") ?? 0} healthy pods and has ${numberAt(budget, "status", "currentHealthy") ?? 0} currently`,
            },
          ],
        })
    for (const budget of isReady ? budgets : [])
      deps.objects.patch(
        "poddisruptionbudgets.policy",
        budget.metadata.name,
        target.namespace,
        (current) => ({
          ...current,
          status: {
            ...(current["status"] as object),
            disruptionsAllowed: (numberAt(current, "status", "disruptionsAllowed") ?? 1) - 1,
          },
        }),
        "status",
      )
    const grace = numberAt(request.body, "deleteOptions", "gracePeriodSeconds")
    return deps.objects.delete(
      "pods",
      pod.metadata.name,
      target.namespace,
      grace === undefined ? {} : { graceSeconds: grace },
    )
  })
  return { status: 201, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } }
}
