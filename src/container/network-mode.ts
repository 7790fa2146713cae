import type { ConfigInput } from "../runtime/runtime.ts"
import { isSameNamespace } from "../sys/process/namespace-file.ts"
import type { NetworkMode } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { namespacePath } from "./namespaces.ts"
import type { ContainerRecord } from "./record.ts"

/** The container whose network `container:NAME` joins; undefined in the other modes. Throws NotFound. */
export function joinedContainer(deps: ContainerDeps, mode: NetworkMode): ContainerRecord | undefined {
  return mode.kind === "container" ? deps.records.get(mode.container) : undefined
}

/** What `config.json` says of the network namespace. Throws FailedPrecondition when a joined container does not run. */
export function runtimeNetwork(deps: ContainerDeps, mode: NetworkMode): ConfigInput["network"] {
  switch (mode.kind) {
    case "bridge":
    case "none":
    case "pasta":
      return { kind: "private" }
    case "host":
      return { kind: "host" }
    case "container":
    case "path": {
      const path = namespacePath(deps, "network", mode)
      return isSameNamespace(path, "/proc/self/ns/net") ? { kind: "host" } : { kind: "path", path }
    }
  }
}
