/** CRIU, which writes processes to disk and makes them again: what the host has of it. */
import { basename } from "node:path"
import { FailedPrecondition, Unsupported } from "../../base/errors.ts"
import { findProgram } from "../../sys/host.ts"
import { installCommand } from "../../sys/install-command.ts"
import { run } from "../../sys/process/process.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import type { DumpOptions, Runtime } from "../runtime.ts"
import { reason } from "./log.ts"
import { sharedWords } from "./shared-words.ts"

/** Its protocol with runc was measured from here on. */
const FLOOR = [3, 17] as const

/**
 * Throws Unsupported where this host cannot checkpoint or restore a container of `runtime`, with what to do. Costs some 30 ms: CRIU
 * tries out what the kernel can.
 *
 * runc alone: a `crun restore` was seen to leave the restored processes in the root cgroup, and to end every process there.
 */
export async function requireCriu(runtime: Runtime): Promise<void> {
  if (rootlessUid() !== undefined || process.getuid?.() !== 0)
    throw new Unsupported("checkpointing a container requires root", {
      hint: "the kernel lets nobody else choose the ids of processes: run it as root",
    })
  if (!(await isRunc(runtime)))
    throw new Unsupported(`checkpoints need the runtime runc, and this container's is ${runtime.name}`, {
      hint: [
        { do: "set", field: "runtime", value: "runc" },
        "run the container by runc: crun's restore can end every process of the host",
      ],
    })
  const criu = findProgram("criu")
  if (criu === undefined)
    throw new Unsupported("checkpoints need CRIU, which is not installed", {
      hint: installCommand({ debian: "criu" }),
    })
  const version = /Version: (\d+)\.(\d+)\S*/.exec((await run([criu, "--version"])).stdout)
  if (
    version === null ||
    Number(version[1]) < FLOOR[0] ||
    (Number(version[1]) === FLOOR[0] && Number(version[2]) < FLOOR[1])
  )
    throw new Unsupported(`CRIU ${FLOOR.join(".")} or newer is needed, here is ${version?.[0] ?? "another"}`)
  const check = await run([criu, "check"])
  if (check.code !== 0)
    throw new Unsupported(`criu check fails on this kernel: ${lastLine(check.stderr)}`, {
      hint: "a newer CRIU may know this kernel",
    })
}

async function isRunc(runtime: Runtime): Promise<boolean> {
  if (!/runc/.test(basename(runtime.path)) || /crun/.test(basename(runtime.path))) return false
  const { stdout } = await run([runtime.path, "--version"])
  return stdout.startsWith("runc version")
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? ""
}

/** `runc checkpoint`. Throws FailedPrecondition with CRIU's own words: the container runs on then. */
export async function dump(runtime: Runtime, id: string, options: DumpOptions): Promise<void> {
  const { imageDirectory, workDirectory, leaveRunning, preDump, parent } = options
  const words = [
    "--image-path",
    imageDirectory,
    "--work-path",
    workDirectory,
    ...(leaveRunning ? ["--leave-running"] : []),
    ...(preDump ? ["--pre-dump"] : []),
    ...(parent === undefined ? [] : ["--parent-path", parent]),
    ...sharedWords(options),
  ]
  const { code, stderr } = await run([runtime.path, ...runtime.globalArgs, "checkpoint", ...words, id])
  if (code === 0) return
  throw new FailedPrecondition(
    `the container could not be checkpointed: ${reason(`${workDirectory}/dump.log`, stderr)}`,
    {
      hint: `CRIU's log: ${workDirectory}/dump.log`,
    },
  )
}
