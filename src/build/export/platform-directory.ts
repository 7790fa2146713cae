import { formatPlatform, type Platform } from "../../spec/platform.ts"

/** Of a build's several platforms, each has a directory by this name: `linux_arm_v7` (buildkit, exporter/local). */
export function platformDirectory(platform: Platform): string {
  return formatPlatform(platform).replaceAll("/", "_")
}
