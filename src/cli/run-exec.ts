import type { Containers, ExecRequest, ExecStart } from "../container/container.ts"
import { terminalSize } from "../sys/terminal/terminal.ts"
import { checkStandardInput } from "./terminal/check-input.ts"
import { runSession } from "./terminal/session.ts"

/** Runs one more program in a container, joined to our terminal or streams unless detached; gives its exit code. */
export async function runExec(
  containers: Containers,
  name: string,
  request: ExecRequest,
  {
    detachKeys,
    onDetached,
    needsTerminal = true,
    ...start
  }: ExecStart & {
    /** Whether a terminal that standard input is not is a mistake. */
    needsTerminal?: boolean
    detachKeys?: Uint8Array | undefined
    /** It was started, and runs on without us. */
    onDetached?: (id: string) => void
  },
): Promise<number> {
  const { tty = false, stdin = false } = request
  if (start.detach !== true) checkStandardInput({ tty, stdin }, needsTerminal)
  const consoleSize = tty ? (terminalSize(0) ?? terminalSize(1)) : undefined
  const session = await containers.execs.run(name, request, { ...start, ...(consoleSize && { consoleSize }) })
  const { attachment, exec, exited } = session
  if (!attachment) {
    onDetached?.(exec.id)
    return 0
  }
  const end = await runSession({
    attachment,
    exited,
    tty,
    stdin,
    ...(detachKeys && { detachKeys }),
    resize: (size) => void containers.execs.resize(exec.id, size),
  })
  return end.kind === "exited" ? end.code : 0
}
