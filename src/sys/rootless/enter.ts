/** Replaces this process by itself inside the keeper's namespaces, unless `argv` needs none of them. */
export function enterRootless(_argv: readonly string[]): void {
  throw new Error("to be written")
}
