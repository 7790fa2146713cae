import { at, listAt, textAt } from "../field.ts"
import { apiVersionOf, resourceKey, type ResourceKind } from "../objects/kinds.ts"
import { noSuchResource } from "./status.ts"

/** Kubernetes' level of what is answered here. */
export const LEVEL = { major: "1", minor: "35", gitVersion: "v1.35.0" }

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

/** A resource of discovery (meta/v1 APIResource). */
interface ApiResourceEntry {
  name: string
  singularName: string
  namespaced: boolean
  kind: string
  verbs: readonly string[]
  shortNames?: readonly string[]
  categories?: readonly string[]
  group?: string
  version?: string
}

/** Beside the kinds: what is asked and not kept, and parts of objects. */
const PARTS: Readonly<
  Record<string, readonly { name: string; kind: string; verbs: readonly string[]; group?: string; version?: string }[]>
> = {
  pods: [
    { name: "attach", kind: "PodAttachOptions", verbs: ["create", "get"] },
    { name: "binding", kind: "Binding", verbs: ["create"] },
    { name: "ephemeralcontainers", kind: "Pod", verbs: ["get", "patch", "update"] },
    { name: "eviction", kind: "Eviction", verbs: ["create"], group: "policy", version: "v1" },
    { name: "exec", kind: "PodExecOptions", verbs: ["create", "get"] },
    { name: "log", kind: "Pod", verbs: ["get"] },
    { name: "portforward", kind: "PodPortForwardOptions", verbs: ["create", "get"] },
    { name: "resize", kind: "Pod", verbs: ["get", "patch", "update"] },
  ],
  "certificatesigningrequests.certificates.k8s.io": [
    { name: "approval", kind: "CertificateSigningRequest", verbs: ["get", "patch", "update"] },
  ],
  namespaces: [{ name: "finalize", kind: "Namespace", verbs: ["update"] }],
  serviceaccounts: [
    { name: "token", kind: "TokenRequest", verbs: ["create"], group: "authentication.k8s.io", version: "v1" },
  ],
}

/** Kinds that are asked and never kept, by group and version. */
export const REVIEWS: Readonly<Record<string, readonly ApiResourceEntry[]>> = {
  "metrics.k8s.io/v1beta1": [
    { name: "nodes", singularName: "", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
    { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
  ],
  "authentication.k8s.io/v1": [review("SelfSubjectReview"), review("TokenReview")],
  "authorization.k8s.io/v1": [
    review("LocalSubjectAccessReview", true),
    review("SelfSubjectAccessReview"),
    review("SelfSubjectRulesReview"),
    review("SubjectAccessReview"),
  ],
}

function review(kind: string, namespaced = false): ApiResourceEntry {
  return { name: `${kind.toLowerCase()}s`, singularName: kind.toLowerCase(), namespaced, kind, verbs: ["create"] }
}

function entriesOf(kind: ResourceKind): ApiResourceEntry[] {
  const { plural, namespaced } = kind
  const part = (
    name: string,
    own: Omit<ApiResourceEntry, "name" | "singularName" | "namespaced">,
  ): ApiResourceEntry => ({
    name: `${plural}/${name}`,
    singularName: "",
    namespaced,
    ...own,
  })
  return [
    {
      name: plural,
      singularName: kind.singular,
      namespaced,
      kind: kind.kind,
      verbs: VERBS,
      ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
      ...(kind.categories && { categories: kind.categories }),
    },
    ...(PARTS[resourceKey(kind)] ?? []).map(({ name, ...own }) => part(name, own)),
    ...(kind.hasScale === true
      ? [part("scale", { kind: "Scale", verbs: ["get", "patch", "update"], group: "autoscaling", version: "v1" })]
      : []),
    ...(kind.hasStatus ? [part("status", { kind: kind.kind, verbs: ["get", "patch", "update"] })] : []),
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Group and version, the preferred one first: what is served of each. */
function served(kinds: readonly ResourceKind[]): Map<string, ApiResourceEntry[]> {
  const groups = new Map<string, ApiResourceEntry[]>()
  for (const kind of kinds)
    for (const version of [kind.version, ...(kind.otherVersions ?? [])]) {
      const name = apiVersionOf({ group: kind.group, version })
      groups.set(name, [...(groups.get(name) ?? []), ...entriesOf(kind)])
    }
  for (const [name, entries] of Object.entries(REVIEWS)) groups.set(name, [...entries])
  return groups
}

/** What `/api`, `/apis`, `/apis/apps` and `/apis/apps/v1` say; `aggregated`: all of it in one. Throws NotFound. */
export function discover(path: readonly string[], kinds: readonly ResourceKind[], aggregated: boolean): unknown {
  const groups = served(kinds)
  const [root = "", group, version] = path
  if (aggregated && path.length === 1) return aggregate(groups, root === "api")
  if (root === "api" && group === undefined)
    return {
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "127.0.0.1:6443" }],
    }
  if (root === "apis" && group === undefined)
    return { kind: "APIGroupList", apiVersion: "v1", groups: groupsOf(groups).map((name) => groupOf(name, groups)) }
  if (root === "apis" && version === undefined && group !== undefined) {
    if (!groupsOf(groups).includes(group)) throw noSuchResource()
    return { kind: "APIGroup", apiVersion: "v1", ...groupOf(group, groups) }
  }
  const groupVersion = path.slice(1).join("/")
  const resources = groups.get(groupVersion)
  if (resources === undefined) throw noSuchResource()
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources }
}

function groupsOf(groups: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...groups.keys()].filter((name) => name.includes("/")).map((name) => name.split("/")[0] ?? ""))]
}

function groupOf(name: string, groups: ReadonlyMap<string, unknown>): object {
  const versions = [...groups.keys()]
    .filter((one) => one.startsWith(`${name}/`))
    .map((groupVersion) => ({ groupVersion, version: groupVersion.slice(name.length + 1) }))
  return { name, versions, preferredVersion: versions[0] }
}

/** apidiscovery.k8s.io/v2: parts under what they are of. */
function aggregate(groups: ReadonlyMap<string, ApiResourceEntry[]>, isCore: boolean): unknown {
  const names = isCore ? [""] : groupsOf(groups)
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: names.map((group) => ({
      metadata: group === "" ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: [...groups]
        .filter(([name]) => (group === "" ? !name.includes("/") : name.startsWith(`${group}/`)))
        .map(([name, entries]) => ({
          version: name.split("/").at(-1),
          freshness: "Current",
          resources: entries
            .filter(({ name: one }) => !one.includes("/"))
            .map((entry) => aggregateEntry(entry, entries, group, name.split("/").at(-1) ?? "")),
        })),
    })),
  }
}

function aggregateEntry(
  entry: ApiResourceEntry,
  entries: readonly ApiResourceEntry[],
  group: string,
  version: string,
): object {
  return {
    resource: entry.name,
    responseKind: { group, version, kind: entry.kind },
    scope: entry.namespaced ? "Namespaced" : "Cluster",
    singularResource: entry.singularName,
    verbs: entry.verbs,
    ...(entry.shortNames && { shortNames: entry.shortNames }),
    ...(entry.categories && { categories: entry.categories }),
    subresources: entries
      .filter(({ name: one }) => one.startsWith(`${entry.name}/`))
      .map((one) => ({
        subresource: one.name.slice(entry.name.length + 1),
        responseKind: {
          group: one.group ?? group,
          version: one.version ?? version,
          kind: one.kind,
        },
        verbs: one.verbs,
      })),
  }
}

/** The kinds of a served discovery, for a client of another server (aggregated form, or a list of APIResourceList). */
export function kindsOfDiscovery(documents: readonly unknown[]): ResourceKind[] {
  return documents
    .flatMap((document) => listAt(document, "items"))
    .flatMap((group) => {
      const [first] = listAt(group, "versions")
      return listAt(group, "versions").flatMap((version) =>
        listAt(version, "resources").map((entry): ResourceKind & { isPreferred: boolean } => ({
          group: textAt(group, "metadata", "name"),
          version: textAt(version, "version"),
          kind: textAt(entry, "responseKind", "kind"),
          plural: textAt(entry, "resource"),
          singular: textAt(entry, "singularResource"),
          shortNames: listAt(entry, "shortNames").map(String),
          categories: listAt(entry, "categories").map(String),
          namespaced: at(entry, "scope") === "Namespaced",
          hasStatus: listAt(entry, "subresources").some((one) => textAt(one, "subresource") === "status"),
          hasScale: listAt(entry, "subresources").some((one) => textAt(one, "subresource") === "scale"),
          isPreferred: version === first,
        })),
      )
    })
}
