import { FailedPrecondition } from "../base/errors.ts"
import type { ConfigInput } from "../runtime/runtime.ts"
import type { Pid } from "../sys/process/process.ts"
import type { NetworkMode } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { isRunning } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"

/** The container whose network `container:NAME` joins; undefined in the other modes. Throws NotFound. */
export function joinedContainer(deps: ContainerDeps, mode: NetworkMode): ContainerRecord | undefined {
  return mode.kind === "container" ? deps.records.get(mode.container) : undefined
}

/** The first process of the joined container. Throws FailedPrecondition when it does not run. */
export function joinedPid(deps: ContainerDeps, mode: NetworkMode): Pid | undefined {
  const joined = joinedContainer(deps, mode)
  if (!joined) return undefined
  if (!isRunning(joined, deps) || joined.state.pid === undefined)
    throw new FailedPrecondition(`cannot join the network of container "${joined.name}": it is not running`, {
      hint: { do: "start", container: joined.name },
    })
  return joined.state.pid
}

/** What `config.json` says of the network namespace. */
export function runtimeNetwork(mode: NetworkMode, joined: Pid | undefined): ConfigInput["network"] {
  switch (mode.kind) {
    case "bridge":
    case "none":
      return { kind: "private" }
    case "host":
      return { kind: "host" }
    case "container":
      return { kind: "path", path: `/proc/${joined}/ns/net` }
  }
}
