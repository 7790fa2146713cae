/**
 * What kinds of objects there are: names as Kubernetes' discovery gives them (kubectl api-resources).
 *
 * A resource is named by its plural and its group, `deployments.apps`, `pods`: that is its key in the records and in watches. Kinds that
 * a user defines (CustomResourceDefinition) are added to these by objects/custom-kinds.ts.
 */

/** One resource of the API. */
export interface ResourceKind {
  /** Empty: the core group. */
  group: string
  /** The version that is stored, and the one preferred. */
  version: string
  /** Other versions that are served, of the same shape. */
  otherVersions?: readonly string[]
  kind: string
  plural: string
  singular: string
  shortNames: readonly string[]
  namespaced: boolean
  /** `all` where `get all` shows them. */
  categories?: readonly string[]
  /** Its status is written by /status alone, and its spec by the object alone. */
  hasStatus: boolean
  /** Has a scale subresource: replicas are at `spec.replicas`. */
  hasScale?: boolean
  /** Defined by a CustomResourceDefinition. */
  isCustom?: boolean
}

type Named = Pick<ResourceKind, "kind" | "plural"> & Partial<ResourceKind>

function kind(groupVersion: string, named: Named): ResourceKind {
  const [group = "", version = ""] = groupVersion.includes("/") ? groupVersion.split("/") : ["", groupVersion]
  return {
    group,
    version,
    singular: named.kind.toLowerCase(),
    shortNames: [],
    namespaced: true,
    hasStatus: false,
    ...named,
  }
}

/** In the order in which kubectl lists them. */
export const BUILT_IN_KINDS: readonly ResourceKind[] = [
  kind("v1", { kind: "ConfigMap", plural: "configmaps", shortNames: ["cm"] }),
  kind("v1", { kind: "Endpoints", plural: "endpoints", singular: "endpoints", shortNames: ["ep"] }),
  kind("v1", { kind: "Event", plural: "events", shortNames: ["ev"] }),
  kind("v1", { kind: "LimitRange", plural: "limitranges", shortNames: ["limits"] }),
  kind("v1", { kind: "Namespace", plural: "namespaces", shortNames: ["ns"], namespaced: false, hasStatus: true }),
  kind("v1", { kind: "Node", plural: "nodes", shortNames: ["no"], namespaced: false, hasStatus: true }),
  kind("v1", { kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims", shortNames: ["pvc"], hasStatus: true }),
  kind("v1", {
    kind: "PersistentVolume",
    plural: "persistentvolumes",
    shortNames: ["pv"],
    namespaced: false,
    hasStatus: true,
  }),
  kind("v1", { kind: "Pod", plural: "pods", shortNames: ["po"], categories: ["all"], hasStatus: true }),
  kind("v1", { kind: "PodTemplate", plural: "podtemplates" }),
  kind("v1", {
    kind: "ReplicationController",
    plural: "replicationcontrollers",
    shortNames: ["rc"],
    categories: ["all"],
    hasStatus: true,
    hasScale: true,
  }),
  kind("v1", { kind: "ResourceQuota", plural: "resourcequotas", shortNames: ["quota"], hasStatus: true }),
  kind("v1", { kind: "Secret", plural: "secrets" }),
  kind("v1", { kind: "ServiceAccount", plural: "serviceaccounts", shortNames: ["sa"] }),
  kind("v1", { kind: "Service", plural: "services", shortNames: ["svc"], categories: ["all"], hasStatus: true }),
  kind("admissionregistration.k8s.io/v1", {
    kind: "MutatingWebhookConfiguration",
    plural: "mutatingwebhookconfigurations",
    namespaced: false,
  }),
  kind("admissionregistration.k8s.io/v1", {
    kind: "ValidatingWebhookConfiguration",
    plural: "validatingwebhookconfigurations",
    namespaced: false,
  }),
  kind("admissionregistration.k8s.io/v1", {
    kind: "ValidatingAdmissionPolicy",
    plural: "validatingadmissionpolicies",
    namespaced: false,
    hasStatus: true,
  }),
  kind("admissionregistration.k8s.io/v1", {
    kind: "ValidatingAdmissionPolicyBinding",
    plural: "validatingadmissionpolicybindings",
    namespaced: false,
  }),
  kind("apiextensions.k8s.io/v1", {
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    shortNames: ["crd", "crds"],
    namespaced: false,
    hasStatus: true,
    categories: ["api-extensions"],
  }),
  kind("apps/v1", { kind: "ControllerRevision", plural: "controllerrevisions" }),
  kind("apps/v1", {
    kind: "DaemonSet",
    plural: "daemonsets",
    shortNames: ["ds"],
    categories: ["all"],
    hasStatus: true,
  }),
  kind("apps/v1", {
    kind: "Deployment",
    plural: "deployments",
    shortNames: ["deploy"],
    categories: ["all"],
    hasStatus: true,
    hasScale: true,
  }),
  kind("apps/v1", {
    kind: "ReplicaSet",
    plural: "replicasets",
    shortNames: ["rs"],
    categories: ["all"],
    hasStatus: true,
    hasScale: true,
  }),
  kind("apps/v1", {
    kind: "StatefulSet",
    plural: "statefulsets",
    shortNames: ["sts"],
    categories: ["all"],
    hasStatus: true,
    hasScale: true,
  }),
  kind("autoscaling/v2", {
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
    shortNames: ["hpa"],
    categories: ["all"],
    hasStatus: true,
  }),
  kind("batch/v1", { kind: "CronJob", plural: "cronjobs", shortNames: ["cj"], categories: ["all"], hasStatus: true }),
  kind("batch/v1", { kind: "Job", plural: "jobs", categories: ["all"], hasStatus: true }),
  kind("certificates.k8s.io/v1", {
    kind: "CertificateSigningRequest",
    plural: "certificatesigningrequests",
    shortNames: ["csr"],
    namespaced: false,
    hasStatus: true,
  }),
  kind("coordination.k8s.io/v1", { kind: "Lease", plural: "leases" }),
  kind("discovery.k8s.io/v1", { kind: "EndpointSlice", plural: "endpointslices" }),
  kind("gateway.networking.k8s.io/v1", {
    kind: "GatewayClass",
    plural: "gatewayclasses",
    shortNames: ["gc"],
    namespaced: false,
    hasStatus: true,
  }),
  kind("gateway.networking.k8s.io/v1", {
    kind: "Gateway",
    plural: "gateways",
    shortNames: ["gtw"],
    hasStatus: true,
  }),
  kind("gateway.networking.k8s.io/v1", { kind: "HTTPRoute", plural: "httproutes", hasStatus: true }),
  kind("networking.k8s.io/v1", { kind: "IngressClass", plural: "ingressclasses", namespaced: false }),
  kind("networking.k8s.io/v1", {
    kind: "Ingress",
    plural: "ingresses",
    shortNames: ["ing"],
    hasStatus: true,
  }),
  kind("networking.k8s.io/v1", { kind: "NetworkPolicy", plural: "networkpolicies", shortNames: ["netpol"] }),
  kind("policy/v1", {
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    shortNames: ["pdb"],
    hasStatus: true,
  }),
  kind("rbac.authorization.k8s.io/v1", {
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    namespaced: false,
  }),
  kind("rbac.authorization.k8s.io/v1", { kind: "ClusterRole", plural: "clusterroles", namespaced: false }),
  kind("rbac.authorization.k8s.io/v1", { kind: "RoleBinding", plural: "rolebindings" }),
  kind("rbac.authorization.k8s.io/v1", { kind: "Role", plural: "roles" }),
  kind("scheduling.k8s.io/v1", {
    kind: "PriorityClass",
    plural: "priorityclasses",
    shortNames: ["pc"],
    namespaced: false,
  }),
  kind("storage.k8s.io/v1", {
    kind: "StorageClass",
    plural: "storageclasses",
    shortNames: ["sc"],
    namespaced: false,
  }),
]

/** Its key in the records: `deployments.apps`, `pods`. */
export function resourceKey({ plural, group }: Pick<ResourceKind, "plural" | "group">): string {
  return group === "" ? plural : `${plural}.${group}`
}

/** As an object says it: `apps/v1`, `v1`. */
export function apiVersionOf({ group, version }: Pick<ResourceKind, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`
}
