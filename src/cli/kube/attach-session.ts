import type { Engine } from "../../engine/engine.ts"
import { isSkiffError, Unavailable } from "../../base/errors.ts"
import {
  listAt,
  numberAt,
  resourcePath,
  runningContainer,
  textAt,
  treeAt,
  type KubeClient,
  type Tree,
} from "../../kube/kube.ts"
import { writeOutput } from "../terminal/standard-output.ts"
import { attachTo } from "../attach-to.ts"
import type { Out } from "../out.ts"

const POLL_MS = 100

/** Which container of which pod is joined. */
export interface AttachSession {
  namespace: string
  name: string
  container: string
  stdin: boolean
  tty: boolean
  /** How long it may take to start. */
  timeoutMs: number
}

/**
 * Joins a container as soon as it runs; of one that has ended before, prints what it wrote. Gives its exit code, where it has one.
 * Throws Unavailable where it does not start.
 */
export async function attachWhenRunning(
  client: KubeClient,
  engine: Engine,
  out: Out,
  it: AttachSession,
): Promise<number> {
  const pods = await client.kindNamed("pods")
  const read = (): Promise<Tree> => client.get(pods, it.name, it.namespace)
  const end = Date.now() + it.timeoutMs
  for (;;) {
    const pod = await read()
    const status = statusOf(pod, it.container)
    if (status["terminated"] !== undefined) {
      const path = resourcePath(pods, it.namespace, it.name, "log")
      const query = new URLSearchParams({ container: it.container })
      for await (const chunk of client.text({ method: "GET", path, query })) await writeOutput(1, chunk)
      return numberAt(status, "terminated", "exitCode") ?? 0
    }
    if (status["running"] !== undefined) {
      const code = await joined(client, engine, out, pod, it)
      if (code !== undefined) return code
    }
    const reason = textAt(status, "waiting", "reason")
    if (/^(?:Err|Invalid|ImagePull|CreateContainer)/.test(reason))
      throw new Unavailable(
        `container ${it.container} does not start: ${reason} ${textAt(status, "waiting", "message")}`,
      )
    if (Date.now() > end) throw new Unavailable("timed out waiting for the condition")
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Undefined where it has ended meanwhile: its status comes to say so. */
async function joined(
  client: KubeClient,
  engine: Engine,
  out: Out,
  pod: Tree,
  it: AttachSession,
): Promise<number | undefined> {
  if (!client.transport.isLocal) {
    const { remoteSession } = await import("./remote-session.ts")
    return remoteSession(client, pod, { container: it.container, stdin: it.stdin, tty: it.tty })
  }
  const containers = await engine.containers()
  try {
    const { id } = runningContainer(containers, pod, it.container)
    if (it.tty) out.note("If you don't see a command prompt, try pressing enter.")
    return await attachTo(containers, id, { noStdin: !it.stdin, sigProxy: false, detachKeys: undefined })
  } catch (error) {
    const hasEnded =
      isSkiffError(error, "FailedPrecondition") ||
      isSkiffError(error, "NotFound") ||
      textAt(error, "data", "reason") === "InternalError"
    if (hasEnded) return undefined
    throw error
  }
}

function statusOf(pod: Tree, container: string): Tree {
  const all = ["containerStatuses", "ephemeralContainerStatuses"].flatMap((key) => listAt(pod, "status", key))
  return treeAt(
    all.find((one) => textAt(one, "name") === container),
    "state",
  )
}
