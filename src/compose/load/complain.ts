import type { TreePath } from "./tree.ts"

/** Notes a fault of a service; `path` is below it. */
export type Complain = (message: string, path: TreePath) => void
