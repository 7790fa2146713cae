import { InvalidArgument } from "../../base/errors.ts"

/** One kind of namespace: the container's own, the host's, another container's, or one that is open at a path of the host. */
export type NamespaceMode =
  { kind: "private" } | { kind: "host" } | { kind: "container"; container: string } | { kind: "path"; path: string }

/** `shareable`: private, and others may join it; `none`: private, without /dev/shm. */
export type IpcMode = NamespaceMode | { kind: "shareable" } | { kind: "none" }

/** How each is written. */
export const NAMESPACE_MODES = "'private', 'host', 'container:<name|id>', 'ns:<path>'"

/** Parses `private`, `host`, `container:NAME`, `ns:PATH`; empty is the default. `kind` as docker's message has it. Throws InvalidArgument. */
export function parseNamespaceMode(text: string, kind: string): NamespaceMode | undefined {
  if (text === "" || text === "private" || text === "host") return text === "" ? undefined : { kind: text }
  const [, word, rest = ""] = /^(container|ns):(.+)$/.exec(text) ?? []
  if (word === "container") return { kind: "container", container: rest }
  if (word === "ns" && rest.startsWith("/")) return { kind: "path", path: rest }
  throw new InvalidArgument(`invalid ${kind} mode "${text}"`, { hint: `valid: ${NAMESPACE_MODES}` })
}

/** The same of `--ipc`, which has two more. Throws InvalidArgument. */
export function parseIpcMode(text: string): IpcMode | undefined {
  return text === "shareable" || text === "none" ? { kind: text } : parseNamespaceMode(text, "IPC")
}
