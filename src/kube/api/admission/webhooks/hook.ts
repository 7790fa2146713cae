/** Webhooks of admission as they are kept, and which of them a request concerns. Pure but for the reading. */
import { at, isTree, listAt, textAt, textsAt, type Tree } from "../../../field.ts"
import type { ResourceKind } from "../../../objects/kinds.ts"
import type { KubeObjects } from "../../../objects/objects.ts"
import type { ApiUser } from "../../api.ts"
import { labelSelectorTest } from "../../selectors.ts"

export const GROUP = "admissionregistration.k8s.io"
const MUTATING = `mutatingwebhookconfigurations.${GROUP}`
const VALIDATING = `validatingwebhookconfigurations.${GROUP}`
const USUAL_TIMEOUT_SECONDS = 10

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT"

/** What a webhook is asked about. */
export interface Attributes {
  operation: Operation
  kind: ResourceKind
  /** In which it was asked for. */
  version: string
  subresource?: string | undefined
  /** Undefined: of the whole cluster. */
  namespace?: string | undefined
  /** Empty where chance makes it. */
  name: string
  object?: Tree | undefined
  old?: Tree | undefined
  /** CreateOptions, UpdateOptions … as the client sent them. */
  options?: Tree | undefined
  user: ApiUser
  isDryRun: boolean
}

/** One webhook of a configuration. */
export interface Hook {
  name: string
  isMutating: boolean
  client: Tree
  rules: readonly unknown[]
  matchesEquivalents: boolean
  namespaceSelector: unknown
  objectSelector: unknown
  /** What cannot be asked is passed over. */
  ignoresFailure: boolean
  /** Changes nothing when it is asked for a trial. */
  isFreeOfEffects: boolean
  timeoutMs: number
  /** Is asked again when others have changed the object after it. */
  isAskedAgain: boolean
}

/** All, in the order in which they are asked: by the names of their configurations. */
export function hooksOf(objects: KubeObjects): Hook[] {
  return [...hooksIn(objects, MUTATING), ...hooksIn(objects, VALIDATING)]
}

function hooksIn(objects: KubeObjects, resource: string): Hook[] {
  return objects
    .list(resource)
    .items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .flatMap((one) => listAt(one, "webhooks").filter(isTree))
    .map((one) => hookOf(one, resource === MUTATING))
}

function hookOf(one: Tree, isMutating: boolean): Hook {
  const seconds = at(one, "timeoutSeconds")
  return {
    name: textAt(one, "name"),
    isMutating,
    client: isTree(one["clientConfig"]) ? one["clientConfig"] : {},
    rules: listAt(one, "rules"),
    matchesEquivalents: textAt(one, "matchPolicy") !== "Exact",
    namespaceSelector: one["namespaceSelector"] ?? {},
    objectSelector: one["objectSelector"] ?? {},
    ignoresFailure: textAt(one, "failurePolicy") === "Ignore",
    isFreeOfEffects: ["None", "NoneOnDryRun"].includes(textAt(one, "sideEffects")),
    timeoutMs: (typeof seconds === "number" ? seconds : USUAL_TIMEOUT_SECONDS) * 1000,
    isAskedAgain: textAt(one, "reinvocationPolicy") === "IfNeeded",
  }
}

/**
 * Whether no webhook is ever asked: about what configures admission itself, so that a wrong one can always be taken away (apiserver,
 * rules.IsExemptAdmissionConfigurationResource).
 */
export function isExempt({ group, plural }: Pick<ResourceKind, "group" | "plural">): boolean {
  return group === GROUP && (plural.endsWith("webhookconfigurations") || plural.includes("admissionpolic"))
}

/**
 * The version in which a webhook wants to be asked about a request; undefined: its rules, or the namespace that it is in, do not concern it. What
 * labels the object has is `fitsObject`'s.
 */
export function versionFor(hook: Hook, attributes: Attributes, objects: KubeObjects): string | undefined {
  const { kind, version } = attributes
  if (isExempt(kind)) return undefined
  const others = [kind.version, ...(kind.otherVersions ?? [])].filter((one) => one !== version)
  const versions = hook.matchesEquivalents ? [version, ...others] : [version]
  const found = versions.find((one) => hook.rules.some((rule) => fitsRule(rule, attributes, one)))
  return found !== undefined && fitsNamespace(hook, attributes, objects) ? found : undefined
}

function fitsRule(rule: unknown, { operation, kind, namespace, subresource }: Attributes, version: string): boolean {
  const has = (key: string, value: string): boolean => {
    const values = listAt(rule, key)
    return values.includes("*") || values.includes(value)
  }
  const scope = textAt(rule, "scope")
  const isClusterWide = namespace === undefined || kind.plural === "namespaces"
  if (scope === "Cluster" && !isClusterWide) return false
  if (scope === "Namespaced" && isClusterWide) return false
  return (
    has("operations", operation) &&
    has("apiGroups", kind.group) &&
    has("apiVersions", version) &&
    listAt(rule, "resources").some((one) => fitsResource(String(one), kind.plural, subresource ?? ""))
  )
}

/** `pods`, `pods/exec`, `pods/*`, `*\/scale`, `*`: without a slash of no part of an object. */
function fitsResource(pattern: string, plural: string, subresource: string): boolean {
  const [resource = "", part = ""] = pattern.split("/", 2)
  return (resource === "*" || resource === plural) && (part === "*" || part === subresource)
}

function fitsNamespace({ namespaceSelector }: Hook, attributes: Attributes, objects: KubeObjects): boolean {
  if (isEmpty(namespaceSelector)) return true
  const { kind, namespace, name, object, old } = attributes
  const isNamespace = kind.group === "" && kind.plural === "namespaces"
  if (!isNamespace && namespace === undefined) return true
  const found = isNamespace
    ? (object ?? old ?? objects.find("namespaces", name))
    : objects.find("namespaces", namespace ?? "")
  return labelSelectorTest(namespaceSelector)(textsAt(found, "metadata", "labels"))
}

/** By the labels of the object, or of the one that it replaces. */
export function fitsObject({ objectSelector }: Hook, { object, old }: Attributes): boolean {
  if (isEmpty(objectSelector)) return true
  const fits = labelSelectorTest(objectSelector)
  return [object, old].some((one) => isTree(one?.["metadata"]) && fits(textsAt(one, "metadata", "labels")))
}

function isEmpty(selector: unknown): boolean {
  return listAt(selector, "matchExpressions").length === 0 && Object.keys(textsAt(selector, "matchLabels")).length === 0
}
