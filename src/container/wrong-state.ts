import { FailedPrecondition, type Hint } from "../base/errors.ts"
import type { ContainerRecord } from "./record.ts"

/**
 * The container is there, but not in the state that this needs. Front ends find in `data` which it is and how it stands: each tool
 * has words of its own for it.
 */
export function wrongState({ id, name, status }: ContainerRecord, message: string, hint: Hint): FailedPrecondition {
  return new FailedPrecondition(message, { hint, data: { object: "container", name, id, status } })
}

/** It does not run. */
export function notRunning(record: ContainerRecord): FailedPrecondition {
  return wrongState(record, `container "${record.name}" is not running`, { do: "start", container: record.name })
}
