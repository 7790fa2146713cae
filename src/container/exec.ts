import { readFileSync } from "node:fs"
import { FailedPrecondition, InvalidArgument } from "../base/errors.ts"
import type { OciConfig } from "../spec/oci-runtime.ts"
import type { ExecRequest, ExecSession } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { isRunning } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"
import { wakeCgroupLock } from "../sys/process/cgroup-lock.ts"
import { resolveUser } from "../sys/fs/image-users.ts"

/** Runs one more program in a running container. Throws FailedPrecondition when it does not run, or is paused. */
export async function exec(deps: ContainerDeps, nameOrId: string, request: ExecRequest): Promise<ExecSession> {
  const record = deps.records.get(nameOrId)
  checkRunning(deps, record)
  wakeCgroupLock()
  if (request.command.length === 0)
    throw new InvalidArgument("no command specified", { hint: "write one after the container" })
  if (request.workdir !== undefined && !request.workdir.startsWith("/"))
    throw new InvalidArgument(`the working directory "${request.workdir}" is invalid`, {
      hint: "it must be an absolute path",
    })
  const runtimes = await deps.runtimes()
  const runtime = await runtimes.choose(record.spec.runtime)
  const bundle = runtimes.bundle(record.id)
  const config = JSON.parse(readFileSync(bundle.config, "utf8")) as OciConfig
  const user =
    request.user === undefined ? undefined : resolveUser(bundle.rootfs, request.user, record.spec.options.groupAdd)
  const declaresHome = record.spec.run.env.some((entry) => entry.startsWith("HOME="))
  // the home of another user is another, unless image or options fixed one
  const home = user === undefined || declaresHome ? [] : [`HOME=${user.home}`]
  const process = runtimes.execProcess(config, {
    argv: request.command,
    env: [...home, ...request.env],
    cwd: request.workdir,
    user,
    tty: request.tty,
    consoleSize: request.consoleSize,
    privileged: request.privileged,
  })
  const { stdin, detach } = request
  return runtimes.exec({ id: record.id, process, stdin, detach, runtime, bundle })
}

function checkRunning(deps: ContainerDeps, record: ContainerRecord): void {
  if (!isRunning(record, deps))
    throw new FailedPrecondition(`container "${record.name}" is not running`, {
      hint: { do: "start", container: record.name },
    })
  if (record.status === "paused")
    throw new FailedPrecondition(`container "${record.name}" is paused`, {
      hint: { do: "unpause", container: record.name },
    })
}
