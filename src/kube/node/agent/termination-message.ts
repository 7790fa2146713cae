/** What a container says at its end (kubernetes.io, "Determine the Reason for Pod Failure"). */
import { chmodSync, closeSync, constants, mkdirSync, openSync, readSync, writeFileSync } from "node:fs"
import type { Container } from "kubernetes-types/core/v1"
import type { Containers } from "../../../container/container.ts"
import type { MountRequest } from "../../../spec/docker/mount-request.ts"
import type { AgentDeps } from "./node-context.ts"
import { podDirectory } from "./pod-volumes.ts"

const DEFAULT_PATH = "/dev/termination-log"
const MAX_BYTES = 4096
/** Of a log in its place. */
const [LOG_LINES, LOG_BYTES] = [80, 2048]

type Deps = Pick<AgentDeps, "root">

function fileOf(deps: Deps, uid: string, name: string, attempt: number): string {
  return `${podDirectory(deps, uid)}/${name}/${attempt}`
}

/** The file that is mounted there, new and empty, for whoever the program runs as. */
export function messageMount(
  deps: Deps,
  uid: string,
  { name, terminationMessagePath = DEFAULT_PATH }: Container,
  attempt: number,
): MountRequest {
  const source = fileOf(deps, uid, name, attempt)
  mkdirSync(`${podDirectory(deps, uid)}/${name}`, { recursive: true, mode: 0o755 })
  writeFileSync(source, "")
  chmodSync(source, 0o666)
  return { type: "bind", source, target: terminationMessagePath || DEFAULT_PATH, readOnly: false, createSource: false }
}

/** Undefined: it has said nothing. The file is the container's: no more of it is read than may be told. */
export async function terminationMessage(
  deps: Deps & { containers: Containers },
  uid: string,
  { name, terminationMessagePolicy }: Container,
  { id, attempt, exitCode }: { id: string; attempt: number; exitCode: number },
): Promise<string | undefined> {
  const said = readHead(fileOf(deps, uid, name, attempt))
  if (said !== "" || terminationMessagePolicy !== "FallbackToLogsOnError" || exitCode === 0) return said || undefined
  const lines: string[] = []
  try {
    for await (const { bytes } of deps.containers.logs(id, { tail: LOG_LINES }))
      lines.push(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
  return lines.join("").slice(-LOG_BYTES) || undefined
}

function readHead(path: string): string {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const buffer = Buffer.alloc(MAX_BYTES)
      return buffer.subarray(0, readSync(fd, buffer, 0, MAX_BYTES, 0)).toString()
    } finally {
      closeSync(fd)
    }
  } catch {
    return ""
  }
}
