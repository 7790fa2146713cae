/** Containers that live in a sandbox. */
import { FailedPrecondition, InvalidArgument } from "../base/errors.ts"
import type { ConfigInput } from "../runtime/runtime.ts"
import type { Sandbox } from "../sandbox/sandbox.ts"
import type { OciMount } from "../spec/oci-runtime.ts"
import type { ResolvedOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import type { ContainerRecord } from "./record.ts"

/** The options of a container in its sandbox, named by id. Throws NotFound, InvalidArgument for what is the sandbox's to say. */
export async function inSandbox(deps: ContainerDeps, options: ResolvedOptions): Promise<ResolvedOptions> {
  if (options.sandbox === undefined) return options
  const { id } = (await deps.sandboxes()).get(options.sandbox)
  const refused = [
    ["hostname", options.hostname !== undefined],
    ["ports", options.ports.length > 0 || options.publishAll],
    ["address", options.address !== undefined],
    ["macAddress", options.macAddress !== undefined],
    ["network", options.network.kind !== "bridge" && options.network.kind !== "none"],
  ] as const
  for (const [field, isGiven] of refused)
    if (isGiven)
      throw new InvalidArgument("conflicting options: a container in a sandbox has the sandbox's networks and name", {
        field,
        hint: "give it to the sandbox",
      })
  return { ...options, sandbox: id, network: { kind: "none" } }
}

/** The sandbox of a container, which must be ready. Undefined when it lives in none. Throws FailedPrecondition, NotFound. */
export async function readySandbox(deps: ContainerDeps, { spec }: ContainerRecord): Promise<Sandbox | undefined> {
  if (spec.options.sandbox === undefined) return undefined
  const sandbox = (await deps.sandboxes()).get(spec.options.sandbox)
  if (sandbox.state.status !== "ready")
    throw new FailedPrecondition(`sandbox "${sandbox.name}" is not ready`, { hint: "start it first" })
  return sandbox
}

/** What `config.json` says of the namespaces that a sandbox shares. */
export function sharedNamespaces({ state }: Sandbox): Pick<ConfigInput, "network" | "ipc" | "uts" | "pid"> {
  if (state.status !== "ready") return { network: { kind: "private" } }
  const { network, ipc, uts, pid } = state.namespaces
  return {
    network: { kind: "path", path: network },
    ipc: { path: ipc },
    uts: { path: uts },
    ...(pid === undefined ? {} : { pid: { path: pid } }),
  }
}

/** The /dev/shm that all in the sandbox see. */
export function sharedShm({ state }: Sandbox): OciMount[] {
  if (state.status !== "ready") return []
  return [{ destination: "/dev/shm", type: "bind", source: state.shm, options: ["bind", "nosuid", "nodev", "noexec"] }]
}
