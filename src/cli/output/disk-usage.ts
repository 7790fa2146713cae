import { formatBinarySize, formatSize } from "../../base/sizes.ts"
import type { CacheEntryUse, ContainerUse, DiskUsage, ImageUse, NetworkUse, VolumeUse } from "../../engine/engine.ts"
import { familiarReference, parseReference } from "../../image/image.ts"
import { formatAgo } from "../../docker/ages.ts"
import { describeStatus } from "../../docker/container-row.ts"
import { hide } from "../../docker/hidden-fields.ts"
import { ellipsis } from "../../docker/ellipsis.ts"

const SHORT_ID = 12

/** Docker's four lines; `tellsNone`: a percentage also of nothing, as podman's. */
export function diskUsageRows(usage: DiskUsage, { tellsNone = false } = {}): object[] {
  const { images, imageBytes, reclaimableImageBytes, containers, volumes, cache, workingBytes } = usage
  const running = containers.filter(isUp)
  const linked = volumes.filter(({ links }) => links > 0)
  const own = cache.filter(({ isShared }) => !isShared)
  return [
    row(
      "Images",
      [images.length, images.filter((one) => one.containers > 0).length],
      [imageBytes, reclaimableImageBytes],
      { tellsNone, maxBytes: usage.maxImageBytes },
    ),
    row("Containers", [containers.length, running.length], [sum(containers), sum(containers) - sum(running)], {
      tellsNone,
    }),
    row("Local Volumes", [volumes.length, linked.length], [sum(volumes), sum(volumes) - sum(linked)], { tellsNone }),
    // working containers are what a build by hand is at
    row(
      "Build Cache",
      [cache.length, cache.filter(({ inUse }) => inUse).length],
      [sum(own) + workingBytes, sum(own.filter(({ inUse }) => !inUse))],
    ),
  ]
}

/** Column titles of their fields. */
export const DISK_USAGE_TITLES = {
  Type: "TYPE",
  Total: "TOTAL",
  TotalCount: "TOTAL",
  Active: "ACTIVE",
  Size: "SIZE",
  RawSize: "SIZE",
  Reclaimable: "RECLAIMABLE",
  RawReclaimable: "RECLAIMABLE",
}

function row(
  type: string,
  [total, active]: [number, number],
  [size, reclaimable]: [number, number],
  { maxBytes, tellsNone = false }: { maxBytes?: number | undefined; tellsNone?: boolean } = {},
): object {
  const none = tellsNone ? " (0%)" : ""
  const percent = size > 0 ? ` (${Math.floor((reclaimable / size) * 100)}%)` : none
  const docker = {
    Active: String(active),
    Reclaimable: `${formatSize(reclaimable)}${percent}`,
    Size: formatSize(size),
    TotalCount: String(total),
    Type: type,
    ...(maxBytes !== undefined && { MaxSize: formatBinarySize(maxBytes) }),
  }
  const raw = { RawReclaimable: reclaimable, RawSize: size, Total: total }
  return hide(docker, { ...raw, document: { ...docker, ...raw, Active: active, TotalCount: total } })
}

/** Of titles: ` (at most 20GiB)`. */
export function capOf({ maxImageBytes }: Pick<DiskUsage, "maxImageBytes">): string {
  return maxImageBytes === undefined ? "" : ` (at most ${formatBinarySize(maxImageBytes)})`
}

/** Docker's `-v`: a list of each kind, as rows for tables and documents alike. */
export function diskUsageLists(usage: DiskUsage, now = new Date()): Record<string, { title: string; rows: object[] }> {
  const cacheBytes = sum(usage.cache.filter(({ isShared }) => !isShared))
  return {
    Images: { title: `Images space usage${capOf(usage)}:`, rows: usage.images.flatMap((use) => imageRows(use, now)) },
    Containers: { title: "Containers space usage:", rows: usage.containers.map((use) => containerRow(use, now)) },
    Volumes: { title: "Local Volumes space usage:", rows: usage.volumes.map(volumeRow) },
    Networks: { title: "Networks:", rows: usage.networks.map(networkRow) },
    BuildCache: {
      title: `Build cache usage: ${formatSize(cacheBytes)}`,
      rows: usage.cache.map((use) => cacheRow(use, now)),
    },
  }
}

/** Columns of each of the lists. */
export const DISK_USAGE_TABLES: Readonly<
  Record<string, { titles: Record<string, string>; columns: readonly string[] }>
> = {
  Images: table(
    "REPOSITORY TAG IMAGE_ID CREATED SIZE SHARED_SIZE UNIQUE_SIZE CONTAINERS",
    "Repository Tag ID CreatedSince Size SharedSize UniqueSize Containers",
  ),
  Containers: table(
    "CONTAINER_ID IMAGE COMMAND LOCAL_VOLUMES SIZE CREATED STATUS NAMES",
    "ID Image Command LocalVolumes Size RunningFor Status Names",
  ),
  Volumes: table("VOLUME_NAME LINKS SIZE", "Name Links Size"),
  Networks: table("NETWORK_NAME DRIVER SUBNET LINKS", "Name Driver Subnet Links"),
  BuildCache: table(
    "CACHE_ID CACHE_TYPE SIZE CREATED LAST_USED USAGE SHARED",
    "ID CacheType Size CreatedSince LastUsedSince UsageCount Shared",
  ),
}

function table(titles: string, fields: string): { titles: Record<string, string>; columns: readonly string[] } {
  const columns = fields.split(" ")
  const words = titles.split(" ").map((title) => title.replaceAll("_", " "))
  return { columns, titles: Object.fromEntries(columns.map((column, index) => [column, words[index] ?? column])) }
}

function imageRows({ image, sizeBytes, sharedBytes, containers }: ImageUse, now: Date): object[] {
  const names = image.tags.length > 0 ? image.tags.map((tag) => parseReference(tag)) : [undefined]
  return names.map((name) => ({
    Containers: String(containers),
    CreatedSince: image.createdAt ? formatAgo(image.createdAt, now) : "N/A",
    ID: image.id.replace(/^sha256:/, "").slice(0, SHORT_ID),
    Repository: name === undefined ? "<none>" : familiarReference({ ...name, tag: undefined }),
    SharedSize: formatSize(sharedBytes),
    Size: formatSize(sizeBytes),
    Tag: name?.tag ?? "<none>",
    UniqueSize: formatSize(sizeBytes - sharedBytes),
  }))
}

function containerRow({ container, sizeBytes }: ContainerUse, now: Date): object {
  return {
    Command: JSON.stringify(ellipsis(container.argv.join(" "), 20)),
    ID: container.id.slice(0, SHORT_ID),
    Image: container.options.image,
    LocalVolumes: String(container.options.mounts.filter(({ type }) => type === "volume").length),
    Names: container.name,
    RunningFor: formatAgo(container.createdAt, now),
    Size: formatSize(sizeBytes),
    Status: describeStatus(container, now),
  }
}

function volumeRow({ volume, links, sizeBytes }: VolumeUse): object {
  return { Links: String(links), Name: volume.name, Size: formatSize(sizeBytes) }
}

function networkRow({ network: { name, driver, subnet }, links }: NetworkUse): object {
  return { Driver: driver, Links: String(links), Name: name, Subnet: subnet }
}

function cacheRow(
  { id, type, sizeBytes, createdAt, lastUsedAt, uses, isShared, inUse }: CacheEntryUse,
  now: Date,
): object {
  return {
    CacheType: type,
    CreatedSince: formatAgo(createdAt, now),
    ID: id.replace(/^sha256:/, "").slice(0, SHORT_ID),
    InUse: String(inUse),
    LastUsedSince: formatAgo(lastUsedAt, now),
    Shared: String(isShared),
    Size: formatSize(sizeBytes),
    UsageCount: String(uses),
  }
}

function isUp({ container: { state } }: ContainerUse): boolean {
  return state.status === "running" || state.status === "paused" || state.status === "restarting"
}

function sum(uses: readonly { sizeBytes: number }[]): number {
  return uses.reduce((total, { sizeBytes }) => total + sizeBytes, 0)
}
