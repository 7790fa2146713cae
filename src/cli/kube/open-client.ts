import type { Engine } from "../../engine/engine.ts"
import { KubeClient, localTransport, openKubeconfig } from "../../kube/kube.ts"

/** What says which cluster is meant. */
export interface PlaceFlags {
  namespace?: string | undefined
  context?: string | undefined
  kubeconfig?: string | undefined
}

/** The client of this machine's objects, or of the cluster that the flags name. */
export async function openClient(engine: Engine, flags: PlaceFlags): Promise<KubeClient> {
  if (flags.context !== undefined || flags.kubeconfig !== undefined)
    return new KubeClient(await openKubeconfig({ context: flags.context, path: flags.kubeconfig }))
  const [api, objects] = await Promise.all([engine.kubeApi(), engine.kubeObjects()])
  return new KubeClient(localTransport(api, () => objects.kinds()))
}

/** The namespace that is meant: undefined for all. */
export function namespaceOf(
  client: KubeClient,
  flags: { namespace?: string | undefined; allNamespaces?: boolean },
): string | undefined {
  if (flags.allNamespaces === true) return undefined
  return flags.namespace ?? client.transport.namespace
}
