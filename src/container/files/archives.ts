/** A container's files as tar archives, in and out. */
import { applyLayer, treeTar } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { InvalidArgument, isSkiffError } from "../../base/errors.ts"
import type { ContainerDeps } from "../deps.ts"
import { openContainerRoot, refuseOtherIds } from "./container-root.ts"
import { orReadable, ownersFor, tell, treeOf } from "./copy.ts"
import type { CopyOptions } from "./copy-request.ts"
import { locateSource, locateTarget } from "./locate.ts"
import { ownersInside } from "./owners-inside.ts"

/** See `Containers.readArchive`. */
export async function* readArchive(
  deps: ContainerDeps,
  nameOrId: string,
  path: string,
  options: Omit<CopyOptions, "archive" | "overwrite"> = {},
): Bytes {
  using root = await openContainerRoot(deps, nameOrId, options)
  using source = locateSource(treeOf(root), path, options.followLink ?? false)
  tell(deps, root, "archive-path", path)
  const { base, contentsOnly, at } = source
  const { onContent, abort } = options
  const ownerOf = ownersInside(root)
  yield* treeTar(at, {
    as: contentsOnly ? "." : base,
    signal: abort,
    ...(ownerOf === undefined ? {} : { ownerOf }),
    ...(onContent === undefined ? {} : { onContent }),
  })
}

/** See `Containers.writeArchive`. */
export async function writeArchive(
  deps: ContainerDeps,
  nameOrId: string,
  path: string,
  archive: Bytes,
  options: Omit<CopyOptions, "followLink"> = {},
): Promise<void> {
  using root = await openContainerRoot(deps, nameOrId, options)
  refuseOtherIds(root)
  const tree = treeOf(root)
  using target = locateTarget(tree, path)
  if (target.stat?.type !== "directory")
    throw new InvalidArgument("destination must be a directory when copying from stdin")
  tell(deps, root, "extract-to-dir", path)
  let before = 0
  const onProgress = (bytes: number): void => {
    options.onContent?.(bytes - before)
    before = bytes
  }
  try {
    await orReadable(tree.called, () =>
      applyLayer(archive, `/proc/self/fd/${root.fd}`, {
        ...ownersFor(root, options),
        plain: true,
        below: target.path,
        keepsKinds: !options.overwrite,
        signal: options.abort,
        onProgress,
      }),
    )
  } catch (error) {
    if (!isSkiffError(error, "DataLoss")) throw error
    throw error.restated(`source must be a (compressed) tar archive when copying from stdin: ${error.message}`)
  }
}
