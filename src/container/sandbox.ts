/** Containers that live in a sandbox. */
import { FailedPrecondition, InvalidArgument, isSkiffError } from "../base/errors.ts"
import type { ConfigInput } from "../runtime/runtime.ts"
import type { Sandbox } from "../sandbox/sandbox.ts"
import type { OciMount } from "../spec/oci-runtime.ts"
import type { Abortable, ResolvedOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import type { ContainerRecord } from "./record.ts"

/** The options of a container in its sandbox, named by id. Throws NotFound, InvalidArgument for what is the sandbox's to say. */
export async function inSandbox(deps: ContainerDeps, options: ResolvedOptions): Promise<ResolvedOptions> {
  if (options.sandbox === undefined) return options
  const sandbox = (await deps.sandboxes()).get(options.sandbox)
  const { id } = sandbox
  const hasNetwork = shares(sandbox, "network")
  const refused = [
    ["hostname", options.hostname !== undefined && shares(sandbox, "uts")],
    ["ports", hasNetwork && (options.ports.length > 0 || options.publishAll)],
    ["address", hasNetwork && options.address !== undefined],
    ["macAddress", hasNetwork && options.macAddress !== undefined],
    ["network", hasNetwork && options.network.kind !== "bridge" && options.network.kind !== "none"],
  ] as const
  for (const [field, isGiven] of refused)
    if (isGiven)
      throw new InvalidArgument("conflicting options: a container in a sandbox has the sandbox's networks and name", {
        field,
        hint: "give it to the sandbox",
        data: { object: "sandbox", field },
      })
  return {
    ...options,
    sandbox: id,
    network: hasNetwork ? { kind: "none" } : options.network,
    ...(sandbox.cgroupPath === undefined ? {} : { limits: { cgroupParent: sandbox.cgroupPath, ...options.limits } }),
  }
}

/** Whether the containers of a sandbox have this of it. */
export function shares({ options }: Sandbox, kind: "network" | "ipc" | "uts"): boolean {
  return options.shares?.includes(kind) ?? true
}

/** The host name that a sandbox gives its containers. Undefined: each has its own. Throws NotFound. */
export async function sandboxHostname(deps: ContainerDeps, { sandbox }: ResolvedOptions): Promise<string | undefined> {
  if (sandbox === undefined) return undefined
  const found = (await deps.sandboxes()).get(sandbox)
  return shares(found, "uts") ? found.options.hostname : undefined
}

/**
 * The sandbox of a container, ready: made so where it is one that starts on demand. Undefined when the container lives in none.
 * Throws FailedPrecondition, NotFound, and what a sandbox's start throws.
 */
export async function readySandbox(
  deps: ContainerDeps,
  { spec }: ContainerRecord,
  { abort }: Abortable = {},
): Promise<Sandbox | undefined> {
  if (spec.options.sandbox === undefined) return undefined
  const sandboxes = await deps.sandboxes()
  const sandbox = sandboxes.get(spec.options.sandbox)
  // also when it is ready: whoever is about to stop it as the last is waited for, and sees that we start
  if (sandbox.options.onDemand) return sandboxes.start(sandbox.id, { signal: abort })
  if (sandbox.state.status !== "ready")
    throw new FailedPrecondition(`sandbox "${sandbox.name}" is not ready`, { hint: "start it first" })
  return sandbox
}

/** Whether a container has the ipc namespace of its sandbox, and with it the /dev/shm. */
export function sharesIpc(sandbox: Sandbox, { namespaces }: ResolvedOptions): boolean {
  return shares(sandbox, "ipc") && namespaces?.ipc === undefined
}

/** What `config.json` says of the namespaces that a sandbox shares. */
export function sharedNamespaces(
  { state }: Sandbox,
  { namespaces = {} }: ResolvedOptions,
): Partial<Pick<ConfigInput, "network" | "ipc" | "uts" | "pid">> {
  if (state.status !== "ready") return {}
  const { network, ...others } = state.namespaces
  // a container's own choice, `private` too, goes before what the sandbox gives
  const shared = Object.entries(others).filter(([kind]) => namespaces[kind as keyof typeof others] === undefined)
  return {
    ...(network === undefined ? {} : { network: { kind: "path", path: network } }),
    ...Object.fromEntries(shared.map(([kind, path]) => [kind, { path }])),
  }
}

/** Stops the sandbox of a container that has ended, where that was the last one and the sandbox goes with it. Safe to repeat. */
export async function leaveSandbox(deps: ContainerDeps, { id, spec }: ContainerRecord): Promise<void> {
  const { sandbox: sandboxId, initContainer } = spec.options
  // after an init container come those that it has prepared the sandbox for
  if (sandboxId === undefined || (initContainer !== undefined && initContainer !== "sidecar")) return
  const sandboxes = await deps.sandboxes()
  try {
    const sandbox = sandboxes.get(sandboxId)
    if (!sandbox.options.stopsWithLast || sandbox.state.status !== "ready") return
    await sandboxes.stop(sandboxId, { unless: () => deps.records.isSandboxInUse(sandboxId, id) })
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
  }
}

/** The /dev/shm that all in the sandbox see. */
export function sharedShm({ state }: Sandbox): OciMount[] {
  if (state.status !== "ready") return []
  return [{ destination: "/dev/shm", type: "bind", source: state.shm, options: ["bind", "nosuid", "nodev", "noexec"] }]
}
