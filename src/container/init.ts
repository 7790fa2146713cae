import { FailedPrecondition } from "../base/errors.ts"
import { installCommand } from "../sys/install-command.ts"
import { findProgram } from "../sys/host.ts"

/** The host path of the small init that `--init` puts before the program. Throws FailedPrecondition with the repair. */
export function findInit(given?: string): string {
  const path =
    given === undefined
      ? (findProgram("catatonit") ?? findProgram("/usr/libexec/podman/catatonit"))
      : findProgram(given)
  if (path === undefined)
    throw new FailedPrecondition(
      given === undefined
        ? "an init process needs catatonit, which is not installed"
        : `the init "${given}" is no program of the host`,
      { field: "init", hint: installCommand({ debian: "catatonit" }) },
    )
  return path
}
