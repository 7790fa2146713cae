import { AlreadyExists, FailedPrecondition, NotFound, PermissionDenied, type SkiffError } from "../../base/errors.ts"

/** What an error is about, as Kubernetes' Status has it in `details`. */
interface About {
  /** `deployments.apps`. */
  resource: string
  name: string
}

/** `pods "web" not found` (apimachinery, errors.NewNotFound). */
export function notFound({ resource, name }: About): SkiffError {
  return new NotFound(`${resource} "${name}" not found`, { data: { reason: "NotFound", resource, name } })
}

export function alreadyExists({ resource, name }: About): SkiffError {
  return new AlreadyExists(`${resource} "${name}" already exists`, {
    data: { reason: "AlreadyExists", resource, name },
  })
}

/** Somebody was faster, or it is another object by the same name. */
export function conflict({ resource, name }: About, why: string): SkiffError {
  return new FailedPrecondition(`Operation cannot be fulfilled on ${resource} "${name}": ${why}`, {
    data: { reason: "Conflict", resource, name },
    hint: "read it again, make the change on what is newest, and try again",
  })
}

export function forbidden({ resource, name }: About, why: string): SkiffError {
  return new PermissionDenied(`${resource} "${name}" is forbidden: ${why}`, {
    data: { reason: "Forbidden", resource, name },
  })
}

/** A watch from a version that is no longer kept: who asks lists anew. */
export function expired(version: string, oldest: number): SkiffError {
  return new FailedPrecondition(`too old resource version: ${version} (${oldest})`, { data: { reason: "Expired" } })
}
