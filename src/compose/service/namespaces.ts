import { defined } from "../../base/defined.ts"
import type { ContainerOptions } from "../../container/container.ts"
import { parseIpcMode, parseNamespaceMode } from "../../spec/docker/namespace-mode.ts"
import { parseUserNamespace } from "../../spec/docker/user-namespace-mode.ts"
import { atKey, wrongValue } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

/** Whose namespaces a container has, and whose ids. `service:` is resolved by then (references.ts). Throws InvalidArgument. */
export function namespaceOptions(context: ServiceContext): Pick<ContainerOptions, "namespaces" | "userNamespace"> {
  const { pid, ipc, uts, cgroup, userns_mode: users } = context.service
  const read = <T>(key: string, text: string | undefined, parse: (text: string) => T): T | undefined =>
    text === undefined ? undefined : atKey(keyOf(context, key), () => parse(text))
  const namespaces = defined({
    pid: read("pid", pid, (text) => parseNamespaceMode(text, "PID")),
    ipc: read("ipc", ipc, parseIpcMode),
    uts: read("uts", uts, (text) => parseNamespaceMode(text, "UTS")),
    cgroup: read("cgroup", cgroup, (text) => parseNamespaceMode(text, "CGROUP")),
  })
  const userNamespace = read("userns_mode", users, parseUserNamespace)
  if (userNamespace?.kind === "private")
    throw wrongValue(keyOf(context, "userns_mode"), "a private user namespace needs ids of its own", "say auto")
  return { ...(Object.keys(namespaces).length > 0 && { namespaces }), ...defined({ userNamespace }) }
}
