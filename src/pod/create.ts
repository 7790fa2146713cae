import { InvalidArgument } from "../base/errors.ts"
import { randomHex } from "../base/random-hex.ts"
import { crashPoint } from "../base/crash-point.ts"
import type { Sandbox, SandboxId } from "../sandbox/sandbox.ts"
import type { PodDeps } from "./deps.ts"
import { findSandbox, observePod } from "./observe.ts"
import type { Pod, PodId, PodOptions } from "./pod.ts"
import type { PodRecord } from "./records.ts"
import { finishRemovals } from "./remove.ts"
import { checkPodOptions, ownsNetwork, podNetworks, sandboxOptions } from "./sandbox-options.ts"

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,252}$/
const HOSTNAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,62})$/

/** See `Pods.create`. The pod's row comes first, with the id of the sandbox: killed between, the next start makes that one. */
export async function createPod(deps: PodDeps, options: PodOptions): Promise<Pod> {
  checkNames(options)
  checkPodOptions(options)
  await checkNetworks(deps, options)
  // a name that a killed removal still holds is free again
  await finishRemovals(deps)
  const sandboxId = options.hasSandbox === false ? undefined : (randomHex(32) as SandboxId)
  const record = deps.records.insert({
    id: randomHex(32) as PodId,
    name: options.name,
    createdAt: Date.now(),
    removing: false,
    spec: { options, ...(sandboxId === undefined ? {} : { sandboxId }) },
  })
  crashPoint("pod:recorded")
  try {
    await ensureSandbox(deps, record)
  } catch (error) {
    deps.records.delete(record)
    throw error
  }
  return observePod(deps, record)
}

/** The sandbox of a pod, made as a record where it is not there yet. Undefined: the pod has none. Safe to repeat. */
export async function ensureSandbox(deps: PodDeps, record: PodRecord): Promise<Sandbox | undefined> {
  const { sandboxId } = record.spec
  if (sandboxId === undefined) return undefined
  const found = await findSandbox(deps, sandboxId)
  return found ?? (await deps.sandboxes()).create(sandboxOptions(record), { start: false, id: sandboxId })
}

function checkNames({ name, hostname, sandboxName }: PodOptions): void {
  const named = [
    ["name", name],
    ["sandboxName", sandboxName],
  ] as const
  for (const [field, text] of named)
    if (text !== undefined && !NAME.test(text))
      throw new InvalidArgument(`invalid pod name "${text.slice(0, 100)}"`, {
        field,
        hint: "a name has letters, digits, `_`, `.` and `-`, and begins with a letter or digit",
      })
  if (hostname !== undefined && !HOSTNAME.test(hostname))
    throw new InvalidArgument(`invalid hostname "${hostname.slice(0, 100)}"`, {
      field: "hostname",
      hint: "a host name has letters, digits, `-`, `_` and `.`, at most 63",
    })
}

/** The default network is made when it is first used; any other must be there. Throws NotFound. */
async function checkNetworks(deps: PodDeps, options: PodOptions): Promise<void> {
  if (!ownsNetwork(options)) return
  const named = podNetworks(options).filter(({ network }) => network !== "bridge" && network !== "default")
  if (named.length === 0) return
  const networks = await deps.networks()
  for (const { network } of named) networks.get(network)
}
