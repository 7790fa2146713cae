import type { Volume, VolumeDetails } from "../volume/volume.ts"

/** A line of `volume ls`. */
export function volumeRow({ name, driver, labels, mountpoint, scope }: Volume): object {
  return {
    Driver: driver,
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Mountpoint: mountpoint,
    Name: name,
    Scope: scope,
    Label: (key: unknown) => labels[String(key)] ?? "",
  }
}

/** Column titles of its fields. */
export const VOLUME_TITLES = {
  Driver: "DRIVER",
  Labels: "LABELS",
  Mountpoint: "MOUNTPOINT",
  Name: "VOLUME NAME",
  Scope: "SCOPE",
}

/** What it takes on disk, and how many containers have it. */
export interface VolumeUsage {
  sizeBytes: number
  refCount: number
}

/** Docker's inspect document of a volume. */
export function volumeDocument(volume: Volume & Partial<VolumeDetails>, usage?: VolumeUsage): object {
  const { name, driver, labels, createdAt, mountpoint, anonymous, options, scope, status = {} } = volume
  return {
    CreatedAt: createdAt.toISOString(),
    Driver: driver,
    Labels: anonymous ? { "com.docker.volume.anonymous": "", ...labels } : labels,
    Mountpoint: mountpoint,
    Name: name,
    Options: Object.keys(options).length === 0 ? null : options,
    Scope: scope,
    ...(Object.keys(status).length === 0 ? {} : { Status: status }),
    ...(usage === undefined ? {} : { UsageData: { RefCount: usage.refCount, Size: usage.sizeBytes } }),
  }
}
