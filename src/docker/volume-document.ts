import type { Volume } from "../volume/volume.ts"

/** A line of `volume ls`. */
export function volumeRow({ name, driver, labels, mountpoint }: Volume): object {
  return {
    Driver: driver,
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Mountpoint: mountpoint,
    Name: name,
    Scope: "local",
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

/** Docker's inspect document of a volume. */
export function volumeDocument({ name, driver, labels, createdAt, mountpoint, anonymous, options }: Volume): object {
  return {
    CreatedAt: createdAt.toISOString(),
    Driver: driver,
    Labels: anonymous ? { "com.docker.volume.anonymous": "", ...labels } : labels,
    Mountpoint: mountpoint,
    Name: name,
    Options: Object.keys(options).length === 0 ? null : options,
    Scope: "local",
  }
}
