import { isSkiffError } from "../base/errors.ts"
import type { Container } from "../container/container.ts"
import type { Sandbox, SandboxId } from "../sandbox/sandbox.ts"
import type { PodDeps } from "./deps.ts"
import type { Pod } from "./pod.ts"
import type { PodRecord } from "./records.ts"
import { podStatus } from "./status.ts"

/** A pod as the contract shows it, of its row and of what is there now. Changes nothing. */
export async function observePod(deps: PodDeps, record: PodRecord): Promise<Pod> {
  const containers = (await deps.containers()).list({ all: true, pod: [record.id] })
  return toPod(record, containers.toReversed(), await findSandbox(deps, record.spec.sandboxId))
}

/** All of them, with one look at the containers and one at the sandboxes. */
export async function observePods(deps: PodDeps, records: readonly PodRecord[]): Promise<Pod[]> {
  if (records.length === 0) return []
  const byPod = Map.groupBy((await deps.containers()).list({ all: true }), ({ options }) => options.pod?.id)
  const sandboxes = new Map((await deps.sandboxes()).list().map((sandbox) => [sandbox.id, sandbox]))
  return records.map((record) => {
    const { sandboxId } = record.spec
    return toPod(
      record,
      (byPod.get(record.id) ?? []).toReversed(),
      sandboxId === undefined ? undefined : sandboxes.get(sandboxId),
    )
  })
}

/** Undefined where there is none yet: its maker was killed between the pod's row and this one. */
export async function findSandbox(deps: PodDeps, id: SandboxId | undefined): Promise<Sandbox | undefined> {
  if (id === undefined) return undefined
  try {
    return (await deps.sandboxes()).get(id)
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}

function toPod(record: PodRecord, containers: readonly Container[], sandbox: Sandbox | undefined): Pod {
  const { id, name, spec } = record
  return {
    id,
    name,
    createdAt: new Date(record.createdAt),
    options: spec.options,
    status: podStatus(
      containers.map(({ state }) => state.status),
      sandbox,
    ),
    ...(spec.sandboxId === undefined ? {} : { sandboxId: spec.sandboxId }),
    ...(sandbox === undefined ? {} : { sandbox }),
    containers,
  }
}
