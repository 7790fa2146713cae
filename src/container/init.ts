import { FailedPrecondition } from "../base/errors.ts"
import { installCommand } from "../sys/install-command.ts"
import { findProgram } from "../sys/host.ts"

/** The host path of the small init that `--init` puts before the program. Throws FailedPrecondition with the repair. */
export function findInit(): string {
  const path = findProgram("catatonit") ?? findProgram("/usr/libexec/podman/catatonit")
  if (path === undefined)
    throw new FailedPrecondition("an init process needs catatonit, which is not installed", {
      field: "init",
      hint: installCommand({ debian: "catatonit" }),
    })
  return path
}
