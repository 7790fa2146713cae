import { formatPlatform, type Platform } from "../spec/platform.ts"
import type { Reference } from "./reference.ts"

/** `pkg:docker/debian@12?platform=linux%2Famd64` (purl-spec, type docker): what an image is called as a package. */
export function packageUrl({ registry, repository, tag, digest }: Reference, platform: Platform): string {
  const isHub = registry === "docker.io"
  const path = isHub ? repository.replace(/^library\//, "") : `${registry.replace(":", "%3A")}/${repository}`
  const qualifiers = [
    ...(digest === undefined ? [] : [`digest=${digest}`]),
    `platform=${encodeURIComponent(formatPlatform(platform))}`,
  ]
  const version = tag ?? (digest === undefined ? "latest" : undefined)
  return `pkg:docker/${path}${version === undefined ? "" : `@${version}`}?${qualifiers.join("&")}`
}
