import type { Bytes } from "../base/bytes.ts"
import type { CreateImageOptions, Image } from "../image/image.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import type { BuilderDeps } from "./deps.ts"
import { workingKey, type WorkingRecord } from "./records.ts"
import type { WorkingCommit } from "./builder.ts"

/** buildah's, where nothing else was said. */
const DEFAULT_SHELL = ["/bin/sh"]

/** See `WorkingContainers.commit`. */
export async function commitWorking(
  { images, snapshots }: BuilderDeps,
  record: WorkingRecord,
  commit: WorkingCommit,
): Promise<Image> {
  const { workingImage, defaults } = record
  const { name, squash, epoch, omitHistory, signal, format = defaults.format ?? "oci" } = commit
  const { annotations, comment, createdBy, historyComment, history, config, ...about } = workingImage
  const key = workingKey(record)
  if (epoch !== undefined) await snapshots.clampTimes(key, epoch)
  const layer: Bytes = snapshots.diff(key, squash ? { since: "nothing", signal } : { signal })
  const image = record.imageId === undefined ? undefined : images.get(record.imageId)
  const base = squash ? undefined : image
  const created = new Date(epoch === undefined ? Date.now() : epoch * 1000).toISOString()
  const words = [historyComment ?? comment ?? "", image === undefined ? "" : `FROM ${nameOf(image, record)}`]
  const options: CreateImageOptions = {
    format,
    config: { ...about, created, config: withoutEnv(inFormat(config, format), commit.unsetEnv) },
    createdBy: createdBy ?? (config.Shell ?? DEFAULT_SHELL).join(" "),
    comment: words.filter(Boolean).join(" ") || undefined,
    author: about.author,
    history: epoch === undefined ? history : history?.map((entry) => Object.assign({}, entry, { created })),
    omitHistory,
    signal,
    ...(base === undefined ? {} : { base }),
    ...(name === undefined ? {} : { name }),
  }
  // Docker's manifest has none
  const all = format === "docker" ? {} : { ...baseAnnotations(image, record), ...annotations }
  return await images.createFromTar(layer, Object.keys(all).length > 0 ? { ...options, annotations: all } : options)
}

/** Only Docker's config has names of the host. */
function inFormat(config: ImageRunConfig, format: "oci" | "docker"): ImageRunConfig {
  const { Hostname: _, Domainname: __, ...common } = config
  return format === "docker" ? config : common
}

/** `--unsetenv` */
function withoutEnv(config: ImageRunConfig, names: readonly string[]): ImageRunConfig {
  const env = config.Env?.filter((entry) => !names.includes(entry.split("=", 1)[0] ?? ""))
  if (env === undefined || env.length === config.Env?.length) return config
  const { Env: _, ...rest } = config
  return env.length === 0 ? rest : { ...rest, Env: env }
}

/** In full, where the image still has it. */
function nameOf({ tags }: Image, { imageName }: WorkingRecord): string {
  return (
    tags.find((tag) => tag === imageName || tag.endsWith(`/${imageName}`) || tag.endsWith(`/${imageName}:latest`)) ??
    imageName
  )
}

/** image-spec annotations.md: what this image stands on. */
function baseAnnotations(base: Image | undefined, record: WorkingRecord): Record<string, string> {
  if (base === undefined) return {}
  return {
    "org.opencontainers.image.base.digest": base.manifest.digest,
    "org.opencontainers.image.base.name": nameOf(base, record),
  }
}
