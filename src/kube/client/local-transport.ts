import { OWNER, type KubeApi } from "../api/api.ts"
import type { ResourceKind } from "../objects/kinds.ts"
import type { Transport } from "./kube-client.ts"

const AGENT = "kubectl/v1.35.0"

/** The API of this store, in this process, as its owner. */
export function localTransport(api: KubeApi, kinds: () => readonly ResourceKind[], namespace = "default"): Transport {
  return {
    request: (request) => api.request({ userAgent: AGENT, ...request, user: OWNER }),
    kinds: async () => kinds(),
    namespace,
    server: "this machine",
    isLocal: true,
  }
}
