import { isMap, type Tree, type TreeMap, type TreePath } from "./tree.ts"

/**
 * Takes out of a model, in place, what a later document resets or overrides: `!reset` then leaves nothing there, `!override` what its own
 * document says. One item of a list cannot be taken out (compose-go does not, either).
 */
export function applyResets(model: TreeMap, resets: readonly TreePath[]): void {
  for (const path of resets) removeAt(model, path)
}

function removeAt(model: TreeMap, path: TreePath): void {
  let at: Tree | undefined = model
  for (const key of path.slice(0, -1)) {
    if (!isMap(at)) return
    at = at[key]
  }
  const last = path.at(-1)
  if (last !== undefined && isMap(at)) delete at[last]
}

/** Those within the service `from`, as seen from service `to`: for what `to` extends. */
export function resetsOfService(resets: readonly TreePath[], from: string, to: string): TreePath[] {
  const found: TreePath[] = []
  for (const [first, service, ...rest] of resets)
    if (first === "services" && service === from) found.push(["services", to, ...rest])
  return found
}
