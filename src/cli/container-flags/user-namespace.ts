/** Flags of `run` and `create` that say which ids a container has: podman's, and docker's `--userns host`. */
import type { UserNamespaceMode } from "../../container/container.ts"
import { parseIdMapping, parseUserNamespace } from "../../spec/docker/user-namespace-mode.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"

export const USER_NAMESPACE_FLAGS = {
  gidmap: flag.list(parseIdMapping, "GID map to use for the user namespace", "CONTAINER:OUTSIDE[:COUNT]"),
  subgidname: flag.string("Name of the range in /etc/subgid to map"),
  subuidname: flag.string("Name of the range in /etc/subuid to map"),
  uidmap: flag.list(parseIdMapping, "UID map to use for the user namespace", "CONTAINER:OUTSIDE[:COUNT]"),
  userns: flag.of(
    parseUserNamespace,
    "User namespace to use ('host', 'auto[:OPTIONS]', 'keep-id[:OPTIONS]', 'nomap', 'container:<name|id>', 'ns:<path>')",
    "string",
  ),
}

/** Undefined when nothing is asked for. Throws UsageError for flags that contradict each other. */
export function userNamespaceOption(flags: FlagValues<typeof USER_NAMESPACE_FLAGS>): UserNamespaceMode | undefined {
  const { uidmap, gidmap, subuidname, subgidname, userns } = flags
  const isMapped = uidmap.length + gidmap.length > 0
  const isNamed = subuidname !== undefined || subgidname !== undefined
  if (isMapped && isNamed) throw new UsageError("--uidmap, --gidmap and --subuidname, --subgidname cannot both be set")
  if ((isMapped || isNamed) && userns !== undefined && userns.kind !== "private")
    throw new UsageError("--userns and --uidmap, --gidmap, --subuidname, --subgidname cannot both be set")
  if (isNamed) {
    const uidName = subuidname ?? subgidname ?? ""
    return { kind: "subordinate", uidName, gidName: subgidname ?? uidName }
  }
  // podman: one of them alone is for both
  if (isMapped)
    return { kind: "mapped", uids: uidmap.length > 0 ? uidmap : gidmap, gids: gidmap.length > 0 ? gidmap : uidmap }
  if (userns?.kind === "private") throw new UsageError("--userns private needs a map: give --uidmap, or --userns auto")
  return userns
}
