/** Files that a pod's objects become: configMap, secret, downwardAPI, projected. */
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  ProjectedVolumeSource,
  VolumeProjection,
} from "kubernetes-types/core/v1"
import { fieldFault, missingReference, type Warnings } from "./field-fault.ts"
import { fieldValue, resourceValue } from "./field-ref.ts"
import type { NodeFacts, NodeFile, NodeInput, NodeSources } from "./node-pod.ts"
import { referredData } from "./environment.ts"

const DEFAULT_MODE = 0o644
const MAX_MODE = 0o777
const MAX_FILES = 10_000
/** core/v1, ServiceAccountTokenProjection. */
const USUAL_TOKEN_SECONDS = 3600
const KEY = /^[-._a-zA-Z0-9]{1,253}$/

/** What payloads are made of. */
export interface PayloadInput {
  pod: Pod
  sources: NodeSources
  facts: NodeFacts
  warnings: Warnings
}

/** Where the keys of one object go. */
export interface ReferredFiles {
  kind: "configmap" | "secret"
  name: string
  optional?: boolean | undefined
  items?: readonly KeyToPath[] | undefined
  defaultMode?: number | undefined
}

/** Files of a ConfigMap or Secret: all its keys, or those that `items` name. Throws NotFound when it is not there and not optional. Pure. */
export function referredFiles(ref: ReferredFiles, input: Pick<NodeInput, "sources">, path: string): NodeFile[] {
  const { kind, name, optional = false, items } = ref
  const mode = checkedMode(ref.defaultMode ?? DEFAULT_MODE, `${path}.defaultMode`)
  const data = referredData(kind, name, input, path)
  if (data === undefined) {
    if (optional) return []
    throw missingReference(
      path,
      kind === "secret" ? `no such Secret "${name}"` : `no such ConfigMap "${name}"`,
      "put it into the same file, or say `optional: true`",
    )
  }
  if (items === undefined || items.length === 0)
    return [...data].map(([key, bytes]) => ({ name: checkedKey(key, path), data: bytes, mode }))
  return items.flatMap((item, index) => {
    const bytes = data.get(item.key)
    const place = `${path}.items[${index}]`
    const file = cleanPath(item.path, `${place}.path`)
    if (bytes === undefined) {
      if (optional) return []
      throw missingReference(place, `key "${item.key}" is not in ${kind} "${ref.name}"`)
    }
    return [{ name: file, data: bytes, mode: checkedMode(item.mode ?? mode, `${place}.mode`) }]
  })
}

/** Files of a downwardAPI volume. Throws InvalidArgument. Pure. */
export function downwardFiles(
  items: readonly DownwardAPIVolumeFile[],
  defaultMode: number | undefined,
  { pod, facts }: PayloadInput,
  path: string,
): NodeFile[] {
  const mode = checkedMode(defaultMode ?? DEFAULT_MODE, `${path}.defaultMode`)
  return items.map((item, index) => {
    const place = `${path}.items[${index}]`
    return {
      name: cleanPath(item.path, `${place}.path`),
      data: Buffer.from(downwardValue(item, { pod, facts }, place)),
      mode: checkedMode(item.mode ?? mode, `${place}.mode`),
    }
  })
}

function downwardValue(
  { fieldRef, resourceFieldRef }: DownwardAPIVolumeFile,
  { pod, facts }: Pick<PayloadInput, "pod" | "facts">,
  path: string,
): string {
  if (fieldRef) return fieldValue(pod, facts, fieldRef, `${path}.fieldRef`)
  if (!resourceFieldRef) throw fieldFault(path, "names neither fieldRef nor resourceFieldRef")
  const { containerName } = resourceFieldRef
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  const container = all.find(({ name }) => name === containerName)
  if (!container) throw missingReference(path, `the pod has no container "${containerName ?? ""}"`)
  return resourceValue(container, facts, resourceFieldRef, `${path}.resourceFieldRef`)
}

/** Files of all sources of a projected volume; a later one goes over one of the same name. Pure. */
export function projectedFiles(
  { sources = [], defaultMode }: ProjectedVolumeSource,
  input: PayloadInput,
  path: string,
): NodeFile[] {
  const byName = new Map<string, NodeFile>()
  for (const [index, source] of sources.entries())
    for (const file of filesOfSource(source, defaultMode, input, `${path}.sources[${index}]`))
      byName.set(file.name, file)
  return [...byName.values()]
}

function filesOfSource(
  { configMap, secret, downwardAPI, serviceAccountToken, ...others }: VolumeProjection,
  defaultMode: number | undefined,
  input: PayloadInput,
  path: string,
): NodeFile[] {
  if (configMap)
    return referredFiles(
      { kind: "configmap", ...configMap, name: configMap.name ?? "", defaultMode },
      input,
      `${path}.configMap`,
    )
  if (secret)
    return referredFiles({ kind: "secret", ...secret, name: secret.name ?? "", defaultMode }, input, `${path}.secret`)
  if (downwardAPI) return downwardFiles(downwardAPI.items ?? [], defaultMode, input, `${path}.downwardAPI`)
  if (serviceAccountToken && input.sources.token) {
    const { audience, expirationSeconds: seconds = USUAL_TOKEN_SECONDS } = serviceAccountToken
    const place = `${path}.serviceAccountToken`
    return [
      {
        name: cleanPath(serviceAccountToken.path, `${place}.path`),
        data: Buffer.from(input.sources.token({ audience, seconds })),
        mode: checkedMode(defaultMode ?? DEFAULT_MODE, `${place}.defaultMode`),
      },
    ]
  }
  const [name = "source"] = serviceAccountToken ? ["serviceAccountToken"] : Object.keys(others)
  input.warnings.add(`${path}.${name}`, "nobody gives such files on this node: they are left out")
  return []
}

/** Throws InvalidArgument for two files at one place, one below another, or too many. Pure. */
export function checkedFiles(files: readonly NodeFile[], path: string): readonly NodeFile[] {
  if (files.length > MAX_FILES) throw fieldFault(path, `makes ${files.length} files, the limit is ${MAX_FILES}`)
  const names = new Set<string>()
  for (const { name } of files) {
    if (names.has(name)) throw fieldFault(path, `makes the file "${name}" twice`)
    names.add(name)
  }
  for (const name of names)
    for (let slash = name.lastIndexOf("/"); slash > 0; slash = name.lastIndexOf("/", slash - 1))
      if (names.has(name.slice(0, slash)))
        throw fieldFault(path, `"${name.slice(0, slash)}" is to be a file and a directory`)
  return files
}

function checkedKey(key: string, path: string): string {
  if (!KEY.test(key) || key === "." || key === ".." || key.startsWith(".."))
    throw fieldFault(path, `the key "${key.slice(0, 100)}" cannot be the name of a file`)
  return key
}

/** A relative path that leads down. */
function cleanPath(text: string | undefined, path: string): string {
  const parts = (text ?? "").split("/")
  const isBad = parts.some((part) => part === "" || part === "." || part === ".." || part.length > 255)
  if (text === undefined || isBad || text.includes("\0") || text.length > 4096 || text.startsWith(".."))
    throw fieldFault(path, `"${(text ?? "").slice(0, 100)}" is no relative path that leads down`)
  return text
}

function checkedMode(mode: number, path: string): number {
  if (mode < 0 || mode > MAX_MODE) throw fieldFault(path, `${mode} must be between 0000 and 0777`)
  return mode
}
