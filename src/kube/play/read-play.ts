import type { ConfigMap, PersistentVolumeClaim, Pod, PodTemplateSpec, Secret } from "kubernetes-types/core/v1"
import type { ObjectMeta } from "kubernetes-types/meta/v1"
import { InvalidArgument } from "../../base/errors.ts"
import { checkObject } from "../read/check-object.ts"
import type { ShapeName } from "../read/object-shapes.ts"
import { readDocuments, type KubeDocument } from "../read/read-documents.ts"
import type { KubeFile, KubeWarning } from "./play-options.ts"

/** Where an object stands. */
export interface Placed {
  place: string
  /** `Pod "web"`. */
  object: string
}

/** A pod that is to be made. */
export interface PlayedObject extends Placed {
  pod: Pod
  /** Of a Job: how often one of its containers is tried again. */
  retries?: number
}

/** Objects of files, in the order in which they are made. */
export interface PlayObjects {
  pods: PlayedObject[]
  claims: (Placed & { claim: PersistentVolumeClaim })[]
  configMaps: ConfigMap[]
  secrets: (Placed & { secret: Secret })[]
  warnings: KubeWarning[]
}

/** What makes one pod. */
interface Workload {
  metadata?: ObjectMeta
  spec?: {
    template?: PodTemplateSpec
    replicas?: number
    completions?: number
    parallelism?: number
    backoffLimit?: number
    activeDeadlineSeconds?: number
    paused?: boolean
    suspend?: boolean
  }
}

const WORKLOADS: ReadonlySet<string> = new Set(["Deployment", "DaemonSet", "Job"])
const KNOWN: ReadonlySet<string> = new Set(["Pod", ...WORKLOADS, "PersistentVolumeClaim", "ConfigMap", "Secret"])
/** Of a Job's pod, in the API. */
const DEFAULT_RETRIES = 6

/**
 * Objects of files. Kinds that are not known are told of and passed over. Throws InvalidArgument for a text that is no YAML or an object of
 * another form.
 */
export function readPlay(files: readonly KubeFile[]): PlayObjects {
  const objects: PlayObjects = { pods: [], claims: [], configMaps: [], secrets: [], warnings: [] }
  const documents = files.flatMap(({ bytes, name }) => readDocuments(bytes, name))
  for (const document of documents) takeDocument(objects, document)
  return objects
}

/** The ConfigMaps of files that may hold nothing else. Throws InvalidArgument, also for one of a name that `known` has. */
export function readConfigMaps(files: readonly KubeFile[], known: readonly ConfigMap[]): ConfigMap[] {
  const names = new Set(known.map(({ metadata }) => metadata?.name))
  return files.flatMap(({ bytes, name: file }) =>
    readDocuments(bytes, file).map((document) => {
      const kind = kindOf(document)
      if (kind !== "ConfigMap")
        throw new InvalidArgument(`"${file}": invalid YAML kind: "${kind}". [ConfigMap] is the only supported here`)
      const map = checkObject(document.value, "ConfigMap").value as ConfigMap
      if (names.has(map.metadata?.name))
        throw new InvalidArgument(
          `ambiguous configuration: the same config map ${map.metadata?.name ?? ""} is present in YAML and in the file ${file}`,
        )
      return map
    }),
  )
}

function kindOf({ value, place }: KubeDocument): string {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InvalidArgument(`${place}: this is no object of Kubernetes`, {
      hint: "expected apiVersion, kind, metadata",
    })
  const kind = value["kind"]
  return typeof kind === "string" ? kind : ""
}

function takeDocument(objects: PlayObjects, document: KubeDocument): void {
  const kind = kindOf(document)
  const { place } = document
  if (!KNOWN.has(kind)) {
    const shown = kind === "" ? "an object without a kind" : kind.slice(0, 60)
    objects.warnings.push({
      place,
      object: shown,
      text: `Kube kind ${shown} not supported: it is passed over`,
      isInfo: true,
    })
    return
  }
  const { value, unknown } = checkedDocument(document, kind as ShapeName)
  const { metadata } = value as { metadata?: ObjectMeta }
  const placed = { place, object: `${kind} "${metadata?.name ?? ""}"` }
  for (const { path, text } of unknown) objects.warnings.push({ ...placed, path, text })
  if (kind === "Pod") objects.pods.push({ ...placed, pod: value as Pod })
  else if (kind === "ConfigMap") objects.configMaps.push(value as ConfigMap)
  else if (kind === "Secret") objects.secrets.push({ ...placed, secret: value as Secret })
  else if (kind === "PersistentVolumeClaim") objects.claims.push({ ...placed, claim: value as PersistentVolumeClaim })
  else objects.pods.push(podOf(kind, value as Workload, placed, objects.warnings))
}

function checkedDocument(document: KubeDocument, shape: ShapeName): ReturnType<typeof checkObject> {
  try {
    return checkObject(document.value, shape)
  } catch (error) {
    if (!(error instanceof InvalidArgument)) throw error
    throw error.restated(`${document.place}: unable to read YAML as Kube ${shape}: ${error.message}`)
  }
}

/** The one pod that a workload makes here: it is named after it, and has its annotations too, as podman's. */
function podOf(
  kind: string,
  { metadata = {}, spec = {} }: Workload,
  placed: Placed,
  warnings: KubeWarning[],
): PlayedObject {
  const { name = "" } = metadata
  if (name === "")
    throw new InvalidArgument(`${placed.place}: ${kind[0]?.toLowerCase()}${kind.slice(1)} does not have a name`)
  const { template = {}, replicas = 1, completions = 1, parallelism = 1 } = spec
  const warn = (path: string, text: string): unknown => warnings.push({ ...placed, path, text })
  if (replicas !== 1)
    warn("spec.replicas", "Limiting replica count to 1, more than one replica is not supported by Podman")
  if (completions > 1) warn("spec.completions", "the pod is run once")
  if (parallelism > 1) warn("spec.parallelism", "one pod is run")
  const podSpec = { ...template.spec } as NonNullable<Pod["spec"]>
  if (kind === "Job") {
    podSpec.restartPolicy ??= "Never"
    if (spec.activeDeadlineSeconds !== undefined) podSpec.activeDeadlineSeconds ??= spec.activeDeadlineSeconds
  }
  const pod: Pod = {
    metadata: {
      ...template.metadata,
      name: `${name}-pod`,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      annotations: { ...metadata.annotations, ...template.metadata?.annotations },
    },
    spec: podSpec,
  }
  return { ...placed, pod, ...(kind === "Job" && { retries: spec.backoffLimit ?? DEFAULT_RETRIES }) }
}
