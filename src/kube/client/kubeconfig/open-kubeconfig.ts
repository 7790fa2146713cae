import type { Transport } from "../kube-client.ts"
import type { KubeconfigRequest } from "./kubeconfig.ts"

/** The cluster that a kubeconfig names. Throws NotFound for a context or file that is not there. */
export async function openKubeconfig(request: KubeconfigRequest): Promise<Transport> {
  const { connect } = await import("./connect.ts")
  return connect(request)
}
