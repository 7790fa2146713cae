/** A process id on the host (or in the keeper's namespace, when rootless). */
export type Pid = number & { readonly brand: "Pid" }
