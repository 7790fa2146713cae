import { flag } from "../flag.ts"
import { UsageError } from "../errors/usage-error.ts"
import type { KubeClient } from "../../kube/kube.ts"

/** Of roles. */
export const ROLE_FLAGS = {
  verb: flag.list((text) => text.split(","), "Verb that applies to the resources contained in the rule", "strings"),
  resource: flag.list((text) => text.split(","), "Resource that the rule applies to", "strings"),
  resourceName: flag.strings(
    "Resource in the white list that the rule applies to, repeat this flag for multiple items",
    "strings",
  ),
  nonResourceUrl: flag.list((text) => text.split(","), "A partial url that user should have access to", "strings"),
}

/** Of bindings. */
export const BINDING_FLAGS = {
  clusterrole: flag.string("ClusterRole this binding should reference"),
  user: flag.strings("Usernames to bind to the role", "strings"),
  group: flag.strings("Groups to bind to the role", "strings"),
  serviceaccount: flag.strings("Service accounts to bind to the role, in the format <namespace>:<name>", "strings"),
}

/** Rules of a role: one for each group that its resources are of. */
export async function rulesOf(
  client: KubeClient,
  flags: {
    verb: readonly (readonly string[])[]
    resource: readonly (readonly string[])[]
    resourceName: readonly string[]
    nonResourceUrl?: readonly (readonly string[])[]
  },
): Promise<object[]> {
  const verbs = flags.verb.flat()
  if (verbs.length === 0) throw new UsageError("at least one verb must be specified")
  const groups = new Map<string, string[]>()
  for (const word of flags.resource.flat()) {
    const [name = "", part] = word.split("/", 2)
    const kind = name === "*" ? undefined : await client.kindNamed(name)
    const group = kind?.group ?? "*"
    const plural = kind?.plural ?? "*"
    groups.set(group, [...(groups.get(group) ?? []), part === undefined ? plural : `${plural}/${part}`])
  }
  const urls = flags.nonResourceUrl?.flat() ?? []
  if (groups.size === 0 && urls.length === 0)
    throw new UsageError("one of resource or nonResourceURL must be specified")
  const names = flags.resourceName.length > 0 && { resourceNames: flags.resourceName }
  const ruleOf = ([group, resources]: [string, string[]]): object => ({
    apiGroups: [group],
    resources,
    verbs,
    ...names,
  })
  return [...[...groups].map(ruleOf), ...(urls.length > 0 ? [{ nonResourceURLs: urls, verbs }] : [])]
}

/** Who is bound. */
export function subjectsOf(flags: {
  user: readonly string[]
  group: readonly string[]
  serviceaccount: readonly string[]
}): object[] {
  const apiGroup = "rbac.authorization.k8s.io"
  return [
    ...flags.user.map((name) => ({ kind: "User", apiGroup, name })),
    ...flags.group.map((name) => ({ kind: "Group", apiGroup, name })),
    ...flags.serviceaccount.map((text) => {
      const [namespace = "", name = ""] = text.split(":")
      if (namespace === "" || name === "") throw new UsageError("serviceaccount must be <namespace>:<name>")
      return { kind: "ServiceAccount", namespace, name }
    }),
  ]
}
