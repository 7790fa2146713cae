import { podSessions, type KubeClient, type Tree } from "../../kube/kube.ts"
import { checkStandardInput } from "../terminal/check-input.ts"
import { runSession } from "../terminal/session.ts"

/** What is run in a pod of another cluster. */
export interface RemoteRequest {
  container: string
  command?: readonly string[]
  stdin: boolean
  tty: boolean
}

/** Runs a program there, or joins the one that runs, with our terminal or streams; gives its exit code. */
export async function remoteSession(client: KubeClient, pod: Tree, request: RemoteRequest): Promise<number> {
  const { stdin } = request
  const tty = request.tty && stdin
  checkStandardInput({ tty, stdin })
  const { openSession } = await podSessions()
  using session = await openSession(client, pod, { ...request, tty })
  const { attachment, exited, resize } = session
  const end = await runSession({ attachment, exited, tty, stdin, resize })
  return end.kind === "exited" ? end.code : 0
}
