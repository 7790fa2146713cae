import { FailedPrecondition } from "../base/errors.ts"
import { findProgram } from "../sys/host.ts"
import { installCommand } from "../sys/install-command.ts"
import { isSingleIdMap } from "../sys/rootless/namespaces.ts"
import { isStaticBinary } from "../sys/static-binary.ts"
import type { PauseProgram } from "./deps.ts"

/** nobody, which no program in a container is. */
const NOBODY = "65534"
const NO_PRIVILEGE = ["--no-new-privs", "--inh-caps=-all"]

const ENTER = ["--wd=/", `--setgid=${NOBODY}`, `--setuid=${NOBODY}`]

/**
 * The first process of a pid namespace that containers share: it reaps, and waits to be killed. It is seen from the containers, and
 * one with CAP_SYS_PTRACE may look into it, whatever its user: so its root has nothing but the program itself. Throws
 * FailedPrecondition with the repair.
 */
export function pauseProgram(): PauseProgram {
  const catatonit = findProgram("catatonit") ?? findProgram("/usr/libexec/podman/catatonit")
  const setpriv = findProgram("setpriv")
  if (catatonit === undefined || setpriv === undefined)
    throw new FailedPrecondition("a shared pid namespace needs catatonit, which is not installed", {
      field: "sharePid",
      hint: installCommand({ debian: "catatonit" }),
    })
  // whoever is nobody has no capability left; where there is one user, they are taken away, and changing the root needs them
  const isSingle = isSingleIdMap()
  if (isSingle || !isStaticBinary(catatonit)) {
    const user = isSingle ? [] : [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"]
    return {
      name: "catatonit",
      command: () => [setpriv, ...user, ...NO_PRIVILEGE, "--bounding-set=-all", catatonit, "-P"],
    }
  }
  return {
    file: catatonit,
    name: "init",
    command: (root) => [setpriv, ...NO_PRIVILEGE, "unshare", `--root=${root}`, ...ENTER, "/init", "-P"],
  }
}
