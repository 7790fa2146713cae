/**
 * Makes src/kube/api/schema/fields.ts: the fields of Kubernetes' kinds with their types, of the declarations of the npm package
 * `kubernetes-models` (MIT; made of Kubernetes' OpenAPI document, Apache-2.0), and how lists of them are merged.
 *
 *   npm install --no-save kubernetes-models@5.1.0 && bun scripts/kube-schema.ts
 *
 * A developer runs it for a new level of Kubernetes; its result is committed.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const MODELS = process.argv[2] ?? "node_modules/kubernetes-models"
const OUT = new URL("../src/kube/api/schema/fields.ts", import.meta.url).pathname

/** `group/version` of the package: the kinds from which all others are reached. */
const ROOTS = [
  "core.v1: ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolumeClaim PersistentVolume Pod PodTemplate ReplicationController ResourceQuota Secret ServiceAccount Service Binding",
  "admissionregistration.v1: MutatingWebhookConfiguration ValidatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding",
  "apiextensions.v1: CustomResourceDefinition",
  "apps.v1: ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
  "authentication.v1: TokenRequest TokenReview SelfSubjectReview",
  "authorization.v1: SubjectAccessReview SelfSubjectAccessReview LocalSubjectAccessReview SelfSubjectRulesReview",
  "autoscaling.v1: Scale HorizontalPodAutoscaler",
  "autoscaling.v2: HorizontalPodAutoscaler",
  "batch.v1: CronJob Job",
  "certificates.v1: CertificateSigningRequest",
  "coordination.v1: Lease",
  "discovery.v1: EndpointSlice",
  "events.v1: Event",
  "networking.v1: IngressClass Ingress NetworkPolicy",
  "policy.v1: Eviction PodDisruptionBudget",
  "rbac.v1: ClusterRoleBinding ClusterRole RoleBinding Role",
  "scheduling.v1: PriorityClass",
  "storage.v1: StorageClass",
].flatMap((line) => {
  const [version = "", names = ""] = line.split(": ")
  return names.split(" ").map((name) => `${version}.${name}`)
})

/**
 * How lists and maps are merged (x-kubernetes-list-type, -list-map-keys, -patch-merge-key): `=` a set, names the keys of an item. What is not
 * here is atomic as a list. The first key is that of strategic merge patches.
 */
const MERGED: Record<string, string> = {
  "meta.v1.ObjectMeta.finalizers": "=",
  "meta.v1.ObjectMeta.ownerReferences": "uid",
  "core.v1.Container.env": "name",
  "core.v1.Container.ports": "containerPort,protocol",
  "core.v1.Container.resizePolicy": "",
  "core.v1.Container.volumeDevices": "devicePath",
  "core.v1.Container.volumeMounts": "mountPath",
  "core.v1.EphemeralContainer.env": "name",
  "core.v1.EphemeralContainer.ports": "containerPort,protocol",
  "core.v1.EphemeralContainer.volumeDevices": "devicePath",
  "core.v1.EphemeralContainer.volumeMounts": "mountPath",
  "core.v1.PodSpec.containers": "name",
  "core.v1.PodSpec.ephemeralContainers": "name",
  "core.v1.PodSpec.hostAliases": "ip",
  "core.v1.PodSpec.imagePullSecrets": "name",
  "core.v1.PodSpec.initContainers": "name",
  "core.v1.PodSpec.resourceClaims": "name",
  "core.v1.PodSpec.schedulingGates": "name",
  "core.v1.PodSpec.topologySpreadConstraints": "topologyKey,whenUnsatisfiable",
  "core.v1.PodSpec.volumes": "name",
  "core.v1.PodStatus.hostIPs": "",
  "core.v1.PodStatus.podIPs": "ip",
  "core.v1.ResourceRequirements.claims": "name",
  "core.v1.VolumeResourceRequirements.claims": "name",
  "core.v1.ServiceSpec.ports": "port,protocol",
  "core.v1.ServiceAccount.secrets": "name",
  "core.v1.NodeStatus.addresses": "type",
  "core.v1.NodeSpec.podCIDRs": "=",
  "discovery.v1.EndpointSlice.endpoints": "",
  "admissionregistration.v1.MutatingWebhookConfiguration.webhooks": "name",
  "admissionregistration.v1.ValidatingWebhookConfiguration.webhooks": "name",
  "admissionregistration.v1.MutatingWebhook.matchConditions": "name",
  "admissionregistration.v1.ValidatingWebhook.matchConditions": "name",
  "admissionregistration.v1.ValidatingAdmissionPolicySpec.matchConditions": "name",
  "admissionregistration.v1.ValidatingAdmissionPolicySpec.variables": "name",
  "certificates.v1.CertificateSigningRequestStatus.conditions": "type",
  "apiextensions.v1.CustomResourceDefinitionStatus.conditions": "type",
  "autoscaling.v2.HorizontalPodAutoscalerStatus.conditions": "type",
  "batch.v1.JobStatus.conditions": "",
  "policy.v1.PodDisruptionBudgetStatus.conditions": "type",
}
/** Structures that are merged as one value (x-kubernetes-map-type: atomic). */
const ATOMIC = new Set(
  [
    "ConfigMapKeySelector FileKeySelector LocalObjectReference NodeSelector NodeSelectorTerm ObjectFieldSelector ObjectReference",
    "ResourceFieldSelector ScopeSelector SecretKeySelector SecretReference TopologySelectorTerm TypedLocalObjectReference LabelSelector",
    "OwnerReference EndpointPort RoleRef Subject IngressClassParametersReference",
  ].flatMap((line) => line.split(" ")),
)
const ATOMIC_MAPS = new Set([
  "core.v1.ServiceSpec.selector",
  "core.v1.ReplicationControllerSpec.selector",
  "core.v1.PodSpec.nodeSelector",
])
/** `volumes` and `strategy`: a patch names what it keeps (patchStrategy retainKeys). */
const RETAINED = new Set(["core.v1.PodSpec.volumes", "apps.v1.DeploymentSpec.strategy"])

const declarations = new Map<string, string>()

function collect(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory() && entry.name !== "_schemas" && entry.name !== "node_modules") collect(path)
    else if (entry.name.endsWith(".d.ts") && entry.name !== "index.d.ts") {
      const text = readFileSync(path, "utf8")
      const exported = /export type \{ I\w+ as (IIo\w+)/.exec(text)?.[1]
      if (exported !== undefined) declarations.set(exported, text)
    }
  }
}

/** `IIoK8sApiAppsV1Deployment` → `apps.v1.Deployment`. */
function shortName(reference: string): string {
  const found =
    /^IIoK8s(?:Api|KubeAggregatorPkgApis|ApiextensionsApiserverPkgApis|ApimachineryPkg(?:Apis)?)(Admissionregistration|[A-Z][a-z]+)(V\d(?:(?:alpha|beta)\d)?)?(\w+)$/.exec(
      reference,
    )
  if (!found) throw new Error(`what is ${reference}?`)
  const [, group = "", version = "", name = ""] = found
  return [group.toLowerCase(), ...(version === "" ? [] : [version.toLowerCase()]), name].join(".")
}

const SCALARS: Record<string, string> = {
  string: "s",
  boolean: "b",
  number: "i",
  unknown: "o",
  "meta.v1.Time": "t",
  "meta.v1.MicroTime": "u",
  "meta.v1.FieldsV1": "o",
  "runtime.RawExtension": "o",
  "api.ResourceQuantity": "q",
  "util.IntstrIntOrString": "x",
  "apiextensions.v1.JSON": "o",
  "apiextensions.v1.JSONSchemaPropsOrArray": "o",
  "apiextensions.v1.JSONSchemaPropsOrBool": "o",
  "apiextensions.v1.JSONSchemaPropsOrStringArray": "o",
  "apiextensions.v1.JSONSchemaProps": "o",
}

const BYTES = new Set([
  "core.v1.Secret.data",
  "core.v1.ConfigMap.binaryData",
  "admissionregistration.v1.WebhookClientConfig.caBundle",
  "apiextensions.v1.WebhookClientConfig.caBundle",
  "certificates.v1.CertificateSigningRequestSpec.request",
  "certificates.v1.CertificateSigningRequestStatus.certificate",
])

const done = new Map<string, string>()
const docs = new Map<string, Record<string, string>>()

function typeOf(text: string, owner: string): string {
  const list = /^Array<(.*)>$/s.exec(text)?.[1]
  if (list !== undefined) return `[]${typeOf(list, owner)}`
  const map = /^\{\s*\[key: string\]: (.*?);?\s*\}$/s.exec(text)?.[1]
  if (map !== undefined) return `{}${BYTES.has(owner) ? "y" : typeOf(map, owner)}`
  if (text === "string" && BYTES.has(owner)) return "y"
  // a word of two would end the field's
  if (/^"[^"]* /.test(text) || /\| "[^"]* /.test(text)) return "s"
  if (text.startsWith('"')) return `s(${[...text.matchAll(/"([^"]*)"/g)].map(([, one]) => one).join("|")})`
  if (owner === "apps.v1.StatefulSetSpec.volumeClaimTemplates") return "@core.v1.PersistentVolumeClaim"
  if (text.startsWith("{") || text.includes("|")) console.error(`${owner}: ${text}`)
  if (text.startsWith("{")) return "o"
  if (SCALARS[text] !== undefined) return SCALARS[text]
  if (!text.startsWith("IIo")) throw new Error(`what is ${text} of ${owner}?`)
  const name = shortName(text)
  if (SCALARS[name] !== undefined) return SCALARS[name]
  define(text)
  return `@${name}`
}

function firstSentence(text: string): string {
  const flat = text.replace(/\s+/g, " ").trim()
  return flat.length > 220 ? (/^.{40,220}?\.(?= )/.exec(flat)?.[0] ?? `${flat.slice(0, 217)}...`) : flat
}

function define(reference: string): void {
  const name = shortName(reference)
  if (done.has(name)) return
  done.set(name, "")
  const text = declarations.get(reference)
  if (text === undefined) throw new Error(`there is no ${reference}`)
  const body = /export interface \w+[^{]*\{\n([\s\S]*?)\n\}/.exec(text)?.[1] ?? ""
  const about: Record<string, string> = {}
  const own = /\/\*\*\n((?: \*.*\n)*?) \*\/\nexport interface/.exec(text)?.[1]
  if (own) about[""] = firstSentence(own.replace(/^ \* ?/gm, " "))
  const fields: string[] = []
  const pattern = /(?: {4}\/\*\*\n((?: {5}\*.*\n)*?) {5}\*\/\n)? {4}"([^"]+)"(\?)?: ([\s\S]*?);(?=\n(?: {4}["/]|$)|$)/g
  for (const [, comment, field = "", optional, type = ""] of body.matchAll(pattern)) {
    const path = `${name}.${field}`
    if (field === "apiVersion" || (field === "kind" && type.startsWith('"'))) {
      fields.push(`${field}:s`)
      continue
    }
    let code = typeOf(type.trim(), path)
    const keys = MERGED[path] ?? (field === "conditions" && code.startsWith("[]@") ? "type" : undefined)
    if (keys) code += `<${keys}>`
    if (ATOMIC_MAPS.has(path)) code += "<~>"
    if (RETAINED.has(path)) code += "^"
    if (comment)
      about[field] = firstSentence(comment.replace(/^ {5}\* ?/gm, " ").replace(/Possible enum values:[\s\S]*/, ""))
    fields.push(`${field}${optional === undefined ? "!" : ""}:${code}`)
  }
  const isAtomic = ATOMIC.has(name.split(".").at(-1) ?? "")
  done.set(name, `${isAtomic ? "~" : ""}${fields.join(" ")}`)
  docs.set(name, about)
}

collect(MODELS)
collect(join(MODELS, "../@kubernetes-models/apimachinery"))
const byName = new Map(
  [...declarations.keys()].flatMap((one) => {
    try {
      return [[shortName(one), one] as const]
    } catch {
      return []
    }
  }),
)
for (const root of [...ROOTS, "meta.v1.DeleteOptions", "meta.v1.Status"]) {
  const reference = byName.get(root)
  if (reference === undefined) throw new Error(`no ${root}`)
  define(reference)
}
const lines = [...done].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, fields]) => `${name} ${fields}`)
await Bun.write(
  OUT,
  `/**
 * Made by scripts/kube-schema.ts of kubernetes-models 5.1.0 (MIT), which is made of Kubernetes' OpenAPI document of 1.34
 * (Copyright The Kubernetes Authors, Apache-2.0). One definition a line, \`group.version.Kind field:type …\`.
 *
 * Types: s string, s(A|B) one of these, b boolean, i integer, t time, u time with microseconds, q quantity, x integer or string,
 * y bytes in base64, o anything, @name a definition, []T a list, {}T a map. \`!\` after a name: required. Behind a type, \`<a,b>\`: a list
 * that is merged by these keys, \`<=>\` a set, \`<~>\` a map of one value; \`^\`: patches name what they keep. \`~\` before the fields: one value.
 */
export const FIELDS = \`
${lines.join("\n")}
\`
`,
)
const text = [...docs]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(
    ([name, about]) =>
      `${name}\n${Object.entries(about)
        .map(([field, one]) => `\t${field}\t${one}`)
        .join("\n")}`,
  )
  .join("\n")
const packed = Buffer.from(Bun.zstdCompressSync(text, { level: 19 })).toString("base64")
await Bun.write(
  OUT.replace("fields.ts", "descriptions.ts"),
  `/**
 * First sentences of the descriptions of fields, for \`explain\` and the OpenAPI documents; zstd, base64. Made by scripts/kube-schema.ts
 * of kubernetes-models 5.1.0 (MIT), made of Kubernetes' OpenAPI document (Copyright The Kubernetes Authors, Apache-2.0).
 */
export const DESCRIPTIONS =
  "${packed}"
`,
)
console.log(
  `${lines.length} definitions, ${lines.join("\n").length} bytes; descriptions ${text.length}, packed ${packed.length}`,
)
