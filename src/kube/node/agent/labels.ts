/** What tells whose pods and containers of the engine are: those of a kubelet are known by the first three. */
export const POD_NAME_LABEL = "io.kubernetes.pod.name"
export const POD_NAMESPACE_LABEL = "io.kubernetes.pod.namespace"
export const POD_UID_LABEL = "io.kubernetes.pod.uid"
export const CONTAINER_NAME_LABEL = "io.kubernetes.container.name"
/** Of a container's attempt; dockershim's word. */
export const RESTART_COUNT_LABEL = "io.kubernetes.container.restartCount"
export const CONTAINER_HASH_LABEL = "io.kubernetes.container.hash"
/** The node agent's own, with the uid of the object: nobody else's are removed by it, whatever else they are labelled. */
export const OWNED_LABEL = "io.skiff.kube.uid"
