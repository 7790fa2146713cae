import { existsSync, statSync } from "node:fs"
import { join } from "node:path"

/** dive's names of places, and how they are written here. */
export const SOURCES = ["docker", "docker-archive", "podman", "oci", "oci-archive"] as const

const DIVE_FORMS: readonly (readonly [prefix: string, ours: string])[] = [
  ["docker-archive://", "docker-archive:"],
  ["docker-tar://", "docker-archive:"],
  ["oci-archive://", "oci-archive:"],
  ["oci://", "oci:"],
  ["podman://", "containers-storage:"],
  ["store://", ""],
]

const OF_SOURCE: Readonly<Record<(typeof SOURCES)[number], string>> = {
  docker: "docker-daemon:",
  "docker-archive": "docker-archive:",
  podman: "containers-storage:",
  oci: "oci:",
  "oci-archive": "oci-archive:",
}

/** The place that is meant: written dive's way, by a source beside it, or as the path of an archive or layout that is there. */
export function placeOf(text: string, source: (typeof SOURCES)[number] | undefined): string {
  for (const [prefix, ours] of DIVE_FORMS) if (text.startsWith(prefix)) return ours + text.slice(prefix.length)
  if (source !== undefined && !/^[a-z-]+:\/\//.test(text)) return OF_SOURCE[source] + text
  const stat = /^[./~]|\.(?:tar|tgz|gz|zst)$/.test(text) ? statSync(text, { throwIfNoEntry: false }) : undefined
  if (stat?.isFile()) return `docker-archive:${text}`
  if (stat?.isDirectory() && existsSync(join(text, "oci-layout"))) return `oci:${text}`
  return text
}
