import { at, isTree, listAt, textAt, textsAt, type Tree } from "../../field.ts"
import type { KubeClient } from "../kube-client.ts"
import type { Lines } from "./lines.ts"
import { describeSource } from "./pod.ts"

const ACCESS_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
}
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"

/** What `describe persistentvolumeclaim` says: with the pods that mount it. */
export async function describeClaim(lines: Lines, claim: Tree, client: KubeClient): Promise<void> {
  const [name, namespace] = [textAt(claim, "metadata", "name"), textAt(claim, "metadata", "namespace")]
  lines.pair("Name", name)
  lines.pair("Namespace", namespace)
  lines.pair("StorageClass", textAt(claim, "spec", "storageClassName"))
  lines.pair("Status", textAt(claim, "status", "phase"))
  lines.pair("Volume", textAt(claim, "spec", "volumeName"))
  lines.map("Labels", textsAt(claim, "metadata", "labels"))
  lines.map("Annotations", textsAt(claim, "metadata", "annotations"), ": ")
  lines.pair("Finalizers", `[${listAt(claim, "metadata", "finalizers").join(" ")}]`)
  lines.pair("Capacity", textAt(claim, "status", "capacity", "storage"))
  lines.pair("Access Modes", accessModes(listAt(claim, "status", "accessModes")))
  lines.pair("VolumeMode", textAt(claim, "spec", "volumeMode"))
  const pods = await client.list(await client.kindNamed("pods"), { namespace })
  const users = pods.items.filter((pod) =>
    listAt(pod, "spec", "volumes").some((volume) => textAt(volume, "persistentVolumeClaim", "claimName") === name),
  )
  lines.texts(
    "Used By",
    users.map((pod) => textAt(pod, "metadata", "name")),
  )
}

/** What `describe persistentvolume` says. */
export function describeVolume(lines: Lines, volume: Tree): void {
  const spec = at(volume, "spec")
  lines.pair("Name", textAt(volume, "metadata", "name"))
  lines.map("Labels", textsAt(volume, "metadata", "labels"))
  lines.map("Annotations", textsAt(volume, "metadata", "annotations"), ": ")
  lines.pair("Finalizers", `[${listAt(volume, "metadata", "finalizers").join(" ")}]`)
  lines.pair("StorageClass", textAt(spec, "storageClassName"))
  lines.pair("Status", textAt(volume, "status", "phase"))
  const claim = textAt(spec, "claimRef", "name")
  lines.pair("Claim", claim === "" ? "" : `${textAt(spec, "claimRef", "namespace")}/${claim}`)
  lines.pair("Reclaim Policy", textAt(spec, "persistentVolumeReclaimPolicy"))
  lines.pair("Access Modes", accessModes(listAt(spec, "accessModes")))
  lines.pair("VolumeMode", textAt(spec, "volumeMode"))
  lines.pair("Capacity", textAt(spec, "capacity", "storage"))
  const terms = listAt(spec, "nodeAffinity", "required", "nodeSelectorTerms")
  if (terms.length === 0) lines.pair("Node Affinity", "<none>")
  else {
    lines.pair("Node Affinity", "")
    lines.pair("Required Terms", "", 1)
    for (const [index, term] of terms.entries())
      for (const [row, test] of listAt(term, "matchExpressions").entries())
        lines.pair(
          row === 0 ? `Term ${index}` : "",
          `${textAt(test, "key")} ${textAt(test, "operator").toLowerCase()} [${listAt(test, "values").join(", ")}]`,
          2,
        )
  }
  lines.pair("Message", textAt(volume, "status", "message"))
  lines.line("Source:")
  for (const [key, source] of Object.entries(isTree(spec) ? spec : {}))
    if (isTree(source) && !NO_SOURCES.has(key)) describeSource(lines, key, source, 2)
}

const NO_SOURCES = new Set(["capacity", "claimRef", "nodeAffinity"])

/** What `describe storageclass` says. */
export function describeStorageClass(lines: Lines, object: Tree): void {
  const annotations = textsAt(object, "metadata", "annotations")
  lines.pair("Name", textAt(object, "metadata", "name"))
  lines.pair("IsDefaultClass", annotations[DEFAULT_CLASS] === "true" ? "Yes" : "No")
  lines.pair("Annotations", joined(annotations))
  lines.pair("Provisioner", textAt(object, "provisioner"))
  lines.pair("Parameters", joined(textsAt(object, "parameters")))
  const expansion = at(object, "allowVolumeExpansion")
  lines.pair("AllowVolumeExpansion", expansion === undefined ? "<unset>" : expansion === true ? "True" : "False")
  const options = listAt(object, "mountOptions")
  if (options.length === 0) lines.pair("MountOptions", "<none>")
  else {
    lines.line("MountOptions:")
    for (const option of options) lines.line(String(option), 1)
  }
  lines.pair("ReclaimPolicy", textAt(object, "reclaimPolicy"))
  lines.pair("VolumeBindingMode", textAt(object, "volumeBindingMode"))
}

function accessModes(modes: readonly unknown[]): string {
  return modes.map((mode) => ACCESS_MODES[String(mode)] ?? String(mode)).join(",")
}

function joined(texts: Readonly<Record<string, string>>): string {
  const all = Object.entries(texts)
    .filter(([key]) => key !== "kubectl.kubernetes.io/last-applied-configuration")
    .map(([key, value]) => `${key}=${value}`)
  return all.length === 0 ? "<none>" : all.join(",")
}
