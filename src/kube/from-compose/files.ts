import { Buffer } from "node:buffer"
import type { Project } from "../../compose/compose.ts"
import type { KubeObject } from "../kube-object.ts"
import type { ConvertOptions } from "./convert-options.ts"
import type { Loss } from "./losses.ts"
import { clusterName } from "./cluster-name.ts"

type FileKind = "secrets" | "configs"

/** ConfigMaps and Secrets of the project's configs and secrets; external ones are there already. Pure but for `readFile`. */
export function fileObjects(project: Project, options: ConvertOptions, losses: Loss[]): KubeObject[] {
  return (["configs", "secrets"] as const).flatMap((kind) =>
    Object.keys(project[kind]).flatMap((name) => fileObject(project, { kind, name, options, losses }) ?? []),
  )
}

function fileObject(
  project: Project,
  { kind, name, options, losses }: { kind: FileKind; name: string; options: ConvertOptions; losses: Loss[] },
): KubeObject | undefined {
  const entry = project[kind][name] ?? {}
  if (entry.external === true) return undefined
  const bytes = contentOf(project, entry, options)
  if (bytes === undefined) {
    losses.push({ path: `${kind}.${name}`, reason: "its content cannot be read: make the object by hand" })
    return undefined
  }
  const metadata = { name: objectName(project, kind, name), ...(entry.labels ? { annotations: entry.labels } : {}) }
  const base64 = Buffer.from(bytes).toString("base64")
  if (kind === "secrets")
    return { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata, data: { [name]: base64 } }
  return { apiVersion: "v1", kind: "ConfigMap", metadata, ...configData(name, bytes) }
}

/** Text as it is; what is no UTF-8 in base64, as ConfigMaps have it. Pure. */
export function configData(key: string, bytes: Uint8Array): { data: object } | { binaryData: object } {
  try {
    return { data: { [key]: new TextDecoder("utf-8", { fatal: true }).decode(bytes) } }
  } catch {
    return { binaryData: { [key]: Buffer.from(bytes).toString("base64") } }
  }
}

function contentOf(
  { environment }: Project,
  { file, content, environment: variable }: Project["secrets"][string],
  options: ConvertOptions,
): Uint8Array | undefined {
  if (content !== undefined) return Buffer.from(content)
  if (variable !== undefined) {
    const value = environment[variable]
    return value === undefined ? undefined : Buffer.from(value)
  }
  return file === undefined ? undefined : options.readFile(file)
}

/** Of a secret or config in the cluster. Pure. */
export function objectName(project: Project, kind: FileKind, name: string): string {
  const entry = project[kind][name]
  return clusterName(entry?.external === true ? (entry.name ?? name) : name)
}
