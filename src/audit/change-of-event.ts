import type { NewEvent } from "../event/event.ts"
import type { AuditChange } from "./audit.ts"

/** What happens by itself, or changes nothing that anybody answers for. */
const PASSED_OVER = new Set([
  "attach",
  "connect",
  "detach",
  "die",
  "disconnect",
  "exec_create",
  "exec_die",
  "health_check",
  "health_status",
  "mount",
  "oom",
  "resize",
  "top",
  "unmount",
])

/** The change that an event tells; undefined when it is none. Of an exec the program's words are left out: they may be secrets. */
export function changeOfEvent({ type, action, actor, imageDigest }: NewEvent): AuditChange | undefined {
  const [verb = ""] = action.split(":")
  if (PASSED_OVER.has(verb)) return undefined
  const { name, image } = actor.attributes
  return {
    action: `${type} ${verb}`,
    subject: actor.id,
    ...(name === undefined ? {} : { name }),
    ...(image === undefined ? {} : { image }),
    ...(imageDigest === undefined ? {} : { imageDigest }),
  }
}
