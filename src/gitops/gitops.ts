/**
 * A directory of a git repository, kept true on this machine's objects or on a cluster.
 *
 *   git ls-remote ─▶ fetch ─▶ verify-commit ─▶ files ─▶ objects ─▶ dry run of all ─▶ apply ─▶ prune
 *                                └── anything wrong up to here: told, and what is there stays ──┘
 *
 * Between commits, what others changed in fields that the repository names is put back. Nothing is remembered but by the objects: a label
 * says whose they are, an annotation of which commit. So it may be killed at any moment; what git fetched is a cache.
 */
import type { GitopsOptions, GitopsStatus } from "./gitops-options.ts"

export type { CommitInfo, GitopsEvent, GitopsOptions, GitopsStatus } from "./gitops-options.ts"
export { NAME_LABEL, PRUNE_ANNOTATION, REVISION_ANNOTATION } from "./gitops-options.ts"

/** Keeps it until `signal`, or for one pass. Gives how it stood at the end. Throws InvalidArgument, FailedPrecondition where another process does it already. */
export async function keepRepository(
  options: GitopsOptions,
  onStatus: (read: () => GitopsStatus) => void | Promise<void> = () => {},
): Promise<GitopsStatus> {
  const { Reconciler } = await import("./reconciler.ts")
  await using reconciler = await Reconciler.open(options)
  await onStatus(() => reconciler.status)
  await reconciler.run()
  return reconciler.status
}
