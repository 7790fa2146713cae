import type { Database } from "../../base/database.ts"

/** What stands there without anybody having to see to it. */
const AT_REST = [
  "namespaces",
  "nodes",
  "serviceaccounts",
  "configmaps",
  "secrets",
  "events",
  "controllerrevisions.apps",
  "storageclasses.storage.k8s.io",
  "ingressclasses.networking.k8s.io",
  "priorityclasses.scheduling.k8s.io",
  "roles.rbac.authorization.k8s.io",
  "rolebindings.rbac.authorization.k8s.io",
  "clusterroles.rbac.authorization.k8s.io",
  "clusterrolebindings.rbac.authorization.k8s.io",
  "leases.coordination.k8s.io",
  "customresourcedefinitions.apiextensions.k8s.io",
  "mutatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingadmissionpolicies.admissionregistration.k8s.io",
  "validatingadmissionpolicybindings.admissionregistration.k8s.io",
  "certificatesigningrequests.certificates.k8s.io",
]

/** See `KubeObjects.needsControl`; for who has no other use for objects. */
export function needsControl(db: Database): boolean {
  const marks = AT_REST.map(() => "?").join(", ")
  // the Service of the API itself is of use to pods alone (services/api-service.ts)
  const isOther = `NOT (namespace = 'default' AND name = 'kubernetes' AND resource IN ('services', 'endpointslices.discovery.k8s.io'))`
  const sql = `SELECT 1 FROM kube_objects WHERE deleting = 1 OR (resource NOT IN (${marks}) AND ${isOther}) LIMIT 1`
  return db.get(sql, ...AT_REST) !== undefined
}
