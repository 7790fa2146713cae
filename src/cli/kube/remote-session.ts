import type { KubeClient, Tree } from "../../kube/kube.ts"
import { Unsupported } from "../../base/errors.ts"

/** What is run in a pod of another cluster. */
export interface RemoteRequest {
  container: string
  command?: readonly string[]
  stdin: boolean
  tty: boolean
}

/** Runs a program there. */
export async function remoteExec(_client: KubeClient, _pod: Tree, _request: RemoteRequest): Promise<number> {
  throw new Unsupported("programs are run in pods of this machine alone")
}

/** Joins one that runs there. */
export async function remoteAttach(client: KubeClient, pod: Tree, request: RemoteRequest): Promise<number> {
  return remoteExec(client, pod, request)
}
