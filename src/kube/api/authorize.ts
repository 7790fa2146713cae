import { listAt, textAt, type Tree } from "../field.ts"
import type { KubeObjects } from "../objects/objects.ts"
import type { ApiUser } from "./api.ts"
import { statusError } from "./status.ts"

const RBAC = "rbac.authorization.k8s.io"
const MASTERS = "system:masters"

/** What somebody wants to do. */
export interface Access {
  verb: string
  /** Empty: the core group. */
  group: string
  /** Plural, with its part: `pods/log`. Empty: `path` is no resource. */
  resource: string
  namespace?: string | undefined
  name?: string | undefined
  path?: string
}

/** What makes pods and leads to them. */
const WORKLOADS = [
  "replicationcontrollers",
  "replicationcontrollers/scale",
  "deployments",
  "deployments/scale",
  "replicasets",
  "replicasets/scale",
  "statefulsets",
  "statefulsets/scale",
  "daemonsets",
  "jobs",
  "cronjobs",
  "horizontalpodautoscalers",
  "ingresses",
  "networkpolicies",
  "poddisruptionbudgets",
]

/** What those who use a namespace see. What a Secret holds is none of it: who reads a token is whom it names. */
const SEEN = [
  "pods",
  "pods/log",
  "pods/status",
  "configmaps",
  "services",
  "endpoints",
  "endpointslices",
  "events",
  "namespaces",
  "persistentvolumeclaims",
  "serviceaccounts",
  ...WORKLOADS,
  "limitranges",
  "resourcequotas",
]

/**
 * What those who edit it write. Statuses, endpoints and their slices are the cluster's: who wrote them would lead Services where he likes
 * (CVE-2021-25740).
 */
const EDITED = [
  "pods",
  "pods/attach",
  "pods/exec",
  "pods/portforward",
  "pods/eviction",
  "configmaps",
  "secrets",
  "services",
  "persistentvolumeclaims",
  "serviceaccounts",
  "serviceaccounts/token",
  ...WORKLOADS,
]

const GROUPS = ["", "apps", "batch", "autoscaling", "networking.k8s.io", "policy", "discovery.k8s.io"]
const READ = ["get", "list", "watch"]
const WRITE = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
const VIEW: readonly Tree[] = [{ apiGroups: GROUPS, resources: SEEN, verbs: READ }]
const EDIT: readonly Tree[] = [...VIEW, { apiGroups: GROUPS, resources: EDITED, verbs: WRITE }]

/** Roles that every cluster has, for who is bound to them (bootstrap policy), in short. */
const BOOTSTRAP: ReadonlyMap<string, readonly Tree[]> = new Map([
  [
    "cluster-admin",
    [
      { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
      { nonResourceURLs: ["*"], verbs: ["*"] },
    ],
  ],
  // neither `bind` nor `escalate`: nobody gives what he has not
  ["admin", [...EDIT, { apiGroups: [RBAC], resources: ["roles", "rolebindings"], verbs: WRITE }]],
  ["edit", EDIT],
  ["view", VIEW],
])

/** What all who are known may do: ask what there is, and what they may (system:discovery, system:basic-user). */
const EVERYBODY: readonly Tree[] = [
  {
    nonResourceURLs: [
      "/api",
      "/api/*",
      "/apis",
      "/apis/*",
      "/healthz",
      "/livez",
      "/readyz",
      "/openapi",
      "/openapi/*",
      "/version",
    ],
    verbs: ["get"],
  },
  {
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    verbs: ["create"],
  },
  { apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"], verbs: ["create"] },
]

/** Rules that hold for a user in a namespace (undefined: of the whole cluster alone). */
export function rulesOf(objects: KubeObjects, user: ApiUser, namespace: string | undefined): Tree[] {
  const cluster = objects.list(`clusterrolebindings.${RBAC}`, { fits: (one) => binds(one, user) }).items
  const local =
    namespace === undefined
      ? []
      : objects.list(`rolebindings.${RBAC}`, { namespace, fits: (one) => binds(one, user) }).items
  return [...EVERYBODY, ...[...cluster, ...local].flatMap((one) => roleRules(objects, one, namespace))]
}

function roleRules(objects: KubeObjects, binding: Tree, namespace: string | undefined): readonly Tree[] {
  const name = textAt(binding, "roleRef", "name")
  const isCluster = textAt(binding, "roleRef", "kind") === "ClusterRole"
  const role = isCluster ? objects.find(`clusterroles.${RBAC}`, name) : objects.find(`roles.${RBAC}`, name, namespace)
  if (role === undefined) return isCluster ? (BOOTSTRAP.get(name) ?? []) : []
  return listAt(role, "rules") as Tree[]
}

function binds(binding: Tree, user: ApiUser): boolean {
  return listAt(binding, "subjects").some((subject) => {
    const name = textAt(subject, "name")
    switch (textAt(subject, "kind")) {
      case "User":
        return name === user.name
      case "Group":
        return user.groups.includes(name)
      case "ServiceAccount":
        return (
          user.name ===
          `system:serviceaccount:${textAt(subject, "namespace") || textAt(binding, "metadata", "namespace")}:${name}`
        )
      default:
        return false
    }
  })
}

/** Whether a rule allows it. */
export function allows(rule: Tree, access: Access): boolean {
  const has = (key: string, value: string): boolean => {
    const values = listAt(rule, key)
    return values.includes("*") || values.includes(value)
  }
  if (!has("verbs", access.verb)) return false
  if (access.resource === "")
    return listAt(rule, "nonResourceURLs").some((one) => {
      const pattern = String(one)
      return (
        pattern === "*" ||
        pattern === access.path ||
        (pattern.endsWith("*") && (access.path ?? "").startsWith(pattern.slice(0, -1)))
      )
    })
  const [, part] = access.resource.split("/", 2)
  const isResource =
    has("resources", access.resource) || (part !== undefined && listAt(rule, "resources").includes(`*/${part}`))
  const names = listAt(rule, "resourceNames")
  return has("apiGroups", access.group) && isResource && (names.length === 0 || names.includes(access.name))
}

/** Whether a user may do something. */
export function mayDo(objects: KubeObjects, user: ApiUser, access: Access): boolean {
  if (user.groups.includes(MASTERS)) return true
  return rulesOf(objects, user, access.namespace).some((rule) => allows(rule, access))
}

/** Throws Forbidden in Kubernetes' words. */
export function authorize(objects: KubeObjects, user: ApiUser, access: Access): void {
  if (mayDo(objects, user, access)) return
  const { verb, group, resource, namespace, name = "", path } = access
  const about =
    resource === ""
      ? `path "${path}"`
      : `resource "${resource}" in API group "${group}"${namespace === undefined ? " at the cluster scope" : ` in the namespace "${namespace}"`}`
  const plural = resource.split("/")[0] ?? ""
  const title =
    resource === ""
      ? ""
      : `${plural}${group === "" ? "" : `.${group}`} ${name === "" ? "" : `"${name}" `}is forbidden: `
  throw statusError(
    "PermissionDenied",
    `${resource === "" ? "forbidden: " : title}User "${user.name}" cannot ${verb} ${about}`,
    {
      reason: "Forbidden",
      resource: group === "" ? plural : `${plural}.${group}`,
      name,
    },
  )
}

/**
 * Nobody gives what he has not: who writes a role, or binds one, must be allowed all that it allows, or be allowed to `escalate` or `bind`.
 * `own`: the rules that held for the user before the write, which must not count for itself. Throws Forbidden.
 */
export function checkEscalation(
  objects: KubeObjects,
  user: ApiUser,
  own: readonly Tree[],
  resource: string,
  object: Tree,
): void {
  if (user.groups.includes(MASTERS)) return
  const [plural = ""] = resource.split(".")
  const isBinding = plural.endsWith("bindings")
  const namespace = textAt(object, "metadata", "namespace") || undefined
  const name = isBinding ? textAt(object, "roleRef", "name") : textAt(object, "metadata", "name")
  const target = isBinding ? (textAt(object, "roleRef", "kind") === "ClusterRole" ? "clusterroles" : "roles") : plural
  const needed = { verb: isBinding ? "bind" : "escalate", group: RBAC, resource: target, namespace, name }
  if (own.some((rule) => allows(rule, needed))) return
  const given = isBinding ? roleRules(objects, object, namespace) : (listAt(object, "rules") as Tree[])
  const missing = given.flatMap((rule) => accessesOf(rule)).filter((access) => !own.some((one) => allows(one, access)))
  if (missing.length === 0) return
  const shown = missing
    .slice(0, 5)
    .map(({ group, resource: one, verb, path }) =>
      one === ""
        ? `{NonResourceURLs:["${path}"], Verbs:["${verb}"]}`
        : `{APIGroups:["${group}"], Resources:["${one}"], Verbs:["${verb}"]}`,
    )
  throw statusError(
    "PermissionDenied",
    `${resource} "${textAt(object, "metadata", "name")}" is forbidden: user "${user.name}" (groups=${JSON.stringify(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${shown.join("\n")}`,
    {
      reason: "Forbidden",
      resource,
      name: textAt(object, "metadata", "name"),
    },
  )
}

function accessesOf(rule: Tree): Access[] {
  const texts = (key: string): string[] => listAt(rule, key).map(String)
  const accesses: Access[] = []
  for (const verb of texts("verbs")) {
    for (const path of texts("nonResourceURLs")) accesses.push({ verb, group: "", resource: "", path })
    for (const group of texts("apiGroups"))
      for (const resource of texts("resources")) {
        const names = texts("resourceNames")
        if (names.length === 0) accesses.push({ verb, group, resource })
        for (const name of names) accesses.push({ verb, group, resource, name })
      }
  }
  return accesses
}
