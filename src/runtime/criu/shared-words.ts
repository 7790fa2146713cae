import type { DumpOptions } from "../runtime.ts"

/** Words for both ways. A network of the engine's is not written down: the engine makes it anew. */
export function sharedWords({
  tcpEstablished,
  fileLocks,
  emptyNetwork,
}: Pick<DumpOptions, "tcpEstablished" | "fileLocks" | "emptyNetwork">): string[] {
  return [
    ...(emptyNetwork ? ["--empty-ns", "network"] : []),
    "--manage-cgroups-mode",
    "soft",
    ...(tcpEstablished ? ["--tcp-established"] : []),
    ...(fileLocks ? ["--file-locks"] : []),
  ]
}
