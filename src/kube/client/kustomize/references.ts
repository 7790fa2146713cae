import { isTree, setKey, textAt, type Tree } from "../../field.ts"

/** An object that has another name now. */
export interface Renamed {
  kind: string
  from: string
  to: string
}

/** Fields that name an object, by the mapping they stand in: its key there, and what kind it is. */
const REFERENCES: readonly { in: string; key: string; kind: string }[] = [
  { in: "configMapRef", key: "name", kind: "ConfigMap" },
  { in: "configMapKeyRef", key: "name", kind: "ConfigMap" },
  { in: "configMap", key: "name", kind: "ConfigMap" },
  { in: "secretRef", key: "name", kind: "Secret" },
  { in: "secretKeyRef", key: "name", kind: "Secret" },
  { in: "secret", key: "secretName", kind: "Secret" },
  { in: "secret", key: "name", kind: "Secret" },
  { in: "imagePullSecrets", key: "name", kind: "Secret" },
  { in: "tls", key: "secretName", kind: "Secret" },
  { in: "secrets", key: "name", kind: "Secret" },
  { in: "persistentVolumeClaim", key: "claimName", kind: "PersistentVolumeClaim" },
  { in: "service", key: "name", kind: "Service" },
  { in: "spec", key: "serviceName", kind: "Service" },
  { in: "spec", key: "serviceAccountName", kind: "ServiceAccount" },
  { in: "spec", key: "serviceAccount", kind: "ServiceAccount" },
  { in: "spec", key: "volumeName", kind: "PersistentVolume" },
  { in: "spec", key: "storageClassName", kind: "StorageClass" },
  { in: "spec", key: "ingressClassName", kind: "IngressClass" },
  { in: "spec", key: "priorityClassName", kind: "PriorityClass" },
]

/** The object with the new names of what it refers to. `namespace`: of service accounts that are bound, where all are put into one. */
export function renameReferences(object: Tree, renamed: readonly Renamed[], namespace: string): Tree {
  if (renamed.length === 0 && namespace === "") return object
  const find = (kind: string, name: unknown): string | undefined =>
    renamed.find((one) => one.kind === kind && one.from === name)?.to
  const walk = (value: unknown, parent: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, parent))
    if (!isTree(value)) return value
    const result: Tree = {}
    for (const [key, one] of Object.entries(value)) {
      const reference = REFERENCES.find((entry) => entry.in === parent && entry.key === key)
      const named =
        ["roleRef", "scaleTargetRef", "subjects"].includes(parent) && key === "name"
          ? textAt(value, "kind")
          : reference?.kind
      setKey(
        result,
        key,
        (named !== undefined && typeof one === "string" ? find(named, one) : undefined) ?? walk(one, key),
      )
    }
    if (
      parent === "subjects" &&
      result["kind"] === "ServiceAccount" &&
      namespace !== "" &&
      find("ServiceAccount", value["name"]) !== undefined
    )
      result["namespace"] = namespace
    return result
  }
  const next: Tree = {}
  for (const [key, value] of Object.entries(object)) setKey(next, key, key === "metadata" ? value : walk(value, key))
  return next
}
