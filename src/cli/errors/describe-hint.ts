import type { Hint, Remedy } from "../../base/hint.ts"
import { flagOf, type FailedCommand } from "./field-flags.ts"

/**
 * A hint in the words of this front end: its command lines, and flags of the command that failed. Undefined when nothing is left
 * of it: a flag that the command does not have helps nobody.
 */
export function describeHint(hint: Hint, failed: FailedCommand): string | undefined {
  const parts = (isList(hint) ? hint : [hint]).flatMap((part) =>
    typeof part === "string" ? [part] : (describeRemedy(part, failed) ?? []),
  )
  return parts.length === 0 ? undefined : parts.join("; or ")
}

function isList(hint: Hint): hint is readonly (string | Remedy)[] {
  return Array.isArray(hint)
}

function describeRemedy(remedy: Remedy, failed: FailedCommand): string | undefined {
  if ("valid" in remedy) return `valid: ${remedy.valid.join(", ")}`
  if ("nearest" in remedy) return `did you mean ${remedy.nearest}?`
  switch (remedy.do) {
    case "set": {
      const flag = flagOf(remedy.field, failed)
      return flag && `give ${flag}${remedy.value === undefined ? "" : ` ${remedy.value}`}`
    }
    case "omit": {
      const flag = flagOf(remedy.field, failed)
      return flag && `leave ${flag} out`
    }
    case "start":
      return `start it: skiff start ${remedy.container}`
    case "stop":
      return `stop it: skiff stop ${remedy.container}`
    case "unpause":
      return `resume it: skiff unpause ${remedy.container}`
    case "remove":
      return `remove the container: skiff rm ${remedy.container}`
    case "removeForced":
      return `stop and remove the container: skiff rm -f ${remedy.container}`
    case "rename":
      return `rename the container: skiff rename ${remedy.container} NEW_NAME`
    case "state":
      return `see its state: skiff ps --all --filter name=${remedy.container}`
    case "logs":
      return `see what it wrote: skiff logs ${remedy.container}`
    case "removeWorkingContainer":
      return `remove the working container: skiff builder rm ${remedy.container}`
    case "pull":
      return `pull it: skiff pull ${remedy.platform === undefined ? "" : `--platform ${remedy.platform} `}${remedy.image}`
    case "tag":
      return `give it a name first: skiff tag ${remedy.image} REGISTRY/NAME`
    case "removeImageForced":
      return `remove it with all its names: skiff rmi --force ${remedy.image}`
    case "listContainers":
      return "list all containers: skiff ps --all"
    case "listImages":
      return "list images: skiff images"
    case "listVolumes":
      return "list volumes: skiff volume ls"
    case "listSecrets":
      return "list secrets: skiff secret ls"
    case "listPods":
      return "list pods: skiff pod ls"
    case "listNetworks":
      return "list networks: skiff network ls"
    case "listWorkingContainers":
      return "list working containers: skiff builder containers"
    case "login":
      return `log in: skiff login ${remedy.registry}`
    case "importRootfs":
      return "for the archive of a root file system: skiff import"
    case "loadImage":
      return "copy it from another machine: skiff save there, skiff load here"
    case "bootstrap":
      return `make it from packages: skiff image bootstrap ${remedy.base}`
    case "resetStore":
      return "restore it from a backup, or remove everything: skiff system reset"
    case "fetchVulnerabilityData":
      return "get one: skiff scan db update, or skiff scan db import FILE without a network; or name a directory: --db"
    case "freeSpace":
      return "free disk space: skiff image prune, skiff builder prune, skiff container prune; or move the store: SKIFF_ROOT"
    case "diagnose":
      return "see what is missing and how to repair it: skiff doctor"
  }
}
