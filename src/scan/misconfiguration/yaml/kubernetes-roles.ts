import type { KubeFault, ObjectCheck } from "./kubernetes-rules.ts"
import { kubeRule as rule } from "./kube-rule.ts"
import type { YamlView } from "./yaml-view.ts"

const CHANGES = ["create", "update", "patch", "delete", "deletecollection", "impersonate", "*"]

interface Grant {
  at: YamlView
  groups: readonly string[]
  verbs: readonly string[]
  resources: readonly string[]
}

function grants(role: YamlView): Grant[] {
  return (role.get("rules")?.items ?? []).map((at) => ({
    at,
    groups: textsOf(at, "apiGroups"),
    verbs: textsOf(at, "verbs"),
    resources: textsOf(at, "resources"),
  }))
}

function textsOf(view: YamlView, key: string): string[] {
  return (view.get(key)?.items ?? []).map(({ text = "" }) => text)
}

const faultsOf = (role: YamlView, isWrong: (grant: Grant) => string | undefined): KubeFault[] =>
  grants(role).flatMap((grant) => {
    const message = isWrong(grant)
    return message === undefined ? [] : [{ message, at: grant.at }]
  })

/** Some of the verbs on some of the resources; `kind`: of roles of that kind alone. */
function may(
  resources: readonly string[],
  verbs: readonly string[],
  kind?: "Role" | "ClusterRole",
): ObjectCheck["check"] {
  return (role, object) =>
    kind !== undefined && object.get("kind")?.text !== kind
      ? []
      : faultsOf(role, (grant) => {
          const [what, how] = [
            grant.resources.filter((each) => resources.includes(each)),
            grant.verbs.filter((each) => verbs.includes(each)),
          ]
          return what.length === 0 || how.length === 0 ? undefined : `${how.join(", ")} on ${what.join(", ")}`
        })
}

const ALL_VERBS = ["get", "list", "watch", ...CHANGES]

/** On roles, by Trivy's numbers. */
export const ROLE_CHECKS: readonly ObjectCheck[] = [
  {
    ...rule(41, "critical", "role may read or change secrets", "take secrets out of the role's resources"),
    check: may(["secrets"], ALL_VERBS, "ClusterRole"),
  },
  {
    ...rule(
      113,
      "medium",
      "role may read or change the namespace's secrets",
      "take secrets out of the role's resources",
    ),
    check: may(["secrets"], ALL_VERBS, "Role"),
  },
  {
    ...rule(42, "medium", "role may delete the logs of pods", "take deletion out of the verbs on pods/log"),
    check: may(["pods/log"], ["delete", "deletecollection", "*"]),
  },
  {
    ...rule(43, "critical", "role may act as somebody else", "take impersonate out of the verbs"),
    check: may(["users", "groups", "serviceaccounts", "userextras", "uids"], ["impersonate"]),
  },
  {
    ...rule(44, "critical", "role may do everything", "name verbs and resources"),
    check: (role) =>
      faultsOf(role, ({ verbs, resources }) =>
        verbs.includes("*") && resources.includes("*") ? "all verbs on all resources" : undefined,
      ),
  },
  {
    ...rule(45, "critical", "role has all verbs", "name the verbs"),
    check: (role) =>
      faultsOf(role, ({ verbs, resources }) =>
        verbs.includes("*") && !resources.includes("*") ? `all verbs on ${resources.join(", ")}` : undefined,
      ),
  },
  {
    ...rule(46, "critical", "role has all resources", "name the resources"),
    check: allResources("ClusterRole"),
  },
  {
    ...rule(112, "critical", "role has all resources of the namespace", "name the resources"),
    check: allResources("Role"),
  },
  {
    ...rule(
      47,
      "high",
      "role may speak to the kubelet as the API server does",
      "take nodes/proxy out of the resources",
    ),
    check: may(["nodes/proxy"], ["get", "create", "*"]),
  },
  {
    ...rule(48, "high", "role may change workloads", "leave out the verbs that change pods and what makes them"),
    check: may(
      "pods deployments jobs cronjobs statefulsets daemonsets replicasets replicationcontrollers".split(" "),
      CHANGES,
    ),
  },
  {
    ...rule(49, "medium", "role may change configmaps", "leave out the verbs that change configmaps"),
    check: may(["configmaps"], CHANGES),
  },
  {
    ...rule(50, "critical", "role may change roles", "leave out the verbs that change roles and their bindings"),
    check: may(
      ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
      ["create", "update", "delete", "deletecollection", "impersonate", "bind", "escalate", "*"],
    ),
  },
  {
    ...rule(53, "high", "role may enter pods", "take pods/exec out of the resources"),
    check: may(["pods/exec"], CHANGES),
  },
  {
    ...rule(
      56,
      "high",
      "role may change the network",
      "leave out the verbs that change services, ingresses and policies",
    ),
    check: may(["services", "endpoints", "endpointslices", "networkpolicies", "ingresses"], CHANGES),
  },
  {
    ...rule(114, "critical", "role may change webhooks of admission", "leave out the verbs that change them"),
    check: may(["mutatingwebhookconfigurations", "validatingwebhookconfigurations"], CHANGES),
  },
]

function allResources(kind: "Role" | "ClusterRole"): ObjectCheck["check"] {
  return (role, object) =>
    object.get("kind")?.text !== kind
      ? []
      : faultsOf(role, ({ verbs, resources }) =>
          resources.includes("*") ? `${verbs.join(", ")} on all resources` : undefined,
        )
}

const ADMINISTRATORS = new Set(["cluster-admin", "admin", "edit"])
const EVERYBODY = new Set(["system:anonymous", "system:unauthenticated", "system:authenticated"])

/** On bindings of roles. */
export const BINDING_CHECKS: readonly ObjectCheck[] = [
  {
    ...rule(111, "medium", "binding gives an administrator's role", "bind a role with what is needed"),
    check: (binding) => {
      const at = binding.get("roleRef", "name")
      return at?.text !== undefined && ADMINISTRATORS.has(at.text) ? [{ message: `the role is ${at.text}`, at }] : []
    },
  },
  {
    ...rule(122, "critical", "binding gives a role to everybody", "name users, groups or service accounts"),
    check: (binding) =>
      (binding.get("subjects")?.items ?? []).flatMap((subject) => {
        const at = subject.get("name")
        return at?.text !== undefined && EVERYBODY.has(at.text) ? [{ message: `the subject is ${at.text}`, at }] : []
      }),
  },
]

/** Keys and values that tell secrets, and what tells of people. */
const SECRET_KEY = /(?:pass(?:word|wd|phrase)?$|secret|token|private[_-]?key|api[_-]?key|access[_-]?key|credential)/i
const SENSITIVE_KEY =
  /(?:^|[_-])(?:e-?mail|user(?:name)?|phone|ssn|social[_-]?security|credit[_-]?card|cvv|aws_access_key_id)(?:$|[_-])/i

/** On objects of other kinds. */
export const KIND_CHECKS: Readonly<Record<string, readonly ObjectCheck[]>> = {
  ConfigMap: [
    {
      ...rule(109, "high", "configmap has secrets", "put them into a Secret, or better into what keeps secrets"),
      check: (map) => keysLike(map, SECRET_KEY),
    },
    {
      ...rule(1010, "high", "configmap has data of people or accounts", "put them into a Secret"),
      check: (map) => keysLike(map, SENSITIVE_KEY),
    },
  ],
  Service: [
    {
      ...rule(
        108,
        "high",
        "service takes addresses of others",
        "leave out externalIPs and externalName: CVE-2020-8554",
      ),
      check: (service) =>
        ["externalIPs", "externalName"].flatMap((key) => {
          const at = service.get("spec", key)
          return at === undefined ? [] : [{ message: `${key} is set`, at }]
        }),
    },
  ],
}

function keysLike(map: YamlView, pattern: RegExp): KubeFault[] {
  return ["data", "stringData"].flatMap((part) =>
    (map.get(part)?.entries ?? [])
      .filter(([key, value]) => pattern.test(key.slice(0, 200)) && value.text !== undefined && value.text !== "")
      .map(([key, at]) => ({ message: `it has "${key.slice(0, 200)}"`, at })),
  )
}
