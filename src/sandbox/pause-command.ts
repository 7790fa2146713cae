import { FailedPrecondition } from "../base/errors.ts"
import { findProgram } from "../sys/host.ts"
import { installCommand } from "../sys/install-command.ts"
import { isSingleIdMap } from "../sys/rootless/namespaces.ts"

/** nobody, which no program in a container is. */
const NOBODY = "65534"

/**
 * The first process of a pid namespace that containers share: it reaps, and waits to be killed. It is on the host, and seen from
 * the containers: so it has no privilege, and with another user than theirs none of them may look into it (ptrace(2)).
 * Throws FailedPrecondition with the repair.
 */
export function pauseCommand(): string[] {
  const catatonit = findProgram("catatonit") ?? findProgram("/usr/libexec/podman/catatonit")
  const setpriv = findProgram("setpriv")
  if (catatonit === undefined || setpriv === undefined)
    throw new FailedPrecondition("a shared pid namespace needs catatonit, which is not installed", {
      field: "sharePid",
      hint: installCommand({ debian: "catatonit" }),
    })
  const user = isSingleIdMap() ? [] : [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"]
  return [setpriv, ...user, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", catatonit, "-P"]
}
