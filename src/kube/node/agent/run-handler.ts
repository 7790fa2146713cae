import { setTimeout as sleep } from "node:timers/promises"
import type { KeptPod } from "../../controllers/pod-state.ts"
import type { NodeHandler } from "../hooks.ts"
import { getHttp } from "./http-probe.ts"
import type { NodeContext } from "./node-context.ts"
import type { PodGround } from "./pod-ground.ts"
import { openTcp, runCommand } from "./probe-request.ts"

/** Runs a handler of a container's lifecycle. Throws what it failed of. */
export async function runHandler(
  { node, ground, pod }: { node: NodeContext; ground: PodGround; pod: KeptPod },
  containerId: string,
  handler: NodeHandler,
): Promise<void> {
  const { containers, dial, signal } = node
  const address = ground.podIps(pod)[0] ?? "127.0.0.1"
  const target = { containers, containerId, address, sandboxId: ground.probedSandbox(pod), dial }
  if (handler.kind === "sleep") return void (await sleep(handler.seconds * 1000, undefined, { signal }))
  const result =
    handler.kind === "exec"
      ? await runCommand(target, handler.command, signal)
      : handler.kind === "http"
        ? await getHttp(target, handler, signal)
        : await openTcp(target, handler, signal)
  if (!result.isOk) throw new Error(result.output)
}
