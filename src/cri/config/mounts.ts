/** Mounts of a container: of the node's files, and of images. */
import { realpathSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import { checkSubpath, checkTarget, type MountRequest } from "../../spec/docker/mount-request.ts"
import type { Mount, MountPropagation } from "../protocol/messages.ts"

const PROPAGATION: Record<MountPropagation, string> = {
  PROPAGATION_PRIVATE: "rprivate",
  PROPAGATION_HOST_TO_CONTAINER: "rslave",
  PROPAGATION_BIDIRECTIONAL: "rshared",
}

/** Throws InvalidArgument for what contradicts itself, or a path that is not there. */
export function mountOf(mount: Mount): MountRequest {
  const target = checkTarget(mount.container_path)
  return mount.image === null || mount.image.image === "" ? bindOf(mount, target) : imageOf(mount, target)
}

function bindOf(mount: Mount, target: string): MountRequest {
  const { host_path: source, readonly: readOnly, recursive_read_only: isRecursive, propagation } = mount
  if (isRecursive && (!readOnly || propagation !== "PROPAGATION_PRIVATE"))
    throw new InvalidArgument(
      `the mount at "${target}" cannot be recursively read-only: that is for read-only mounts of private propagation`,
      { field: "mounts.recursive_read_only" },
    )
  if (mount.image_sub_path !== "")
    throw new InvalidArgument(`the mount at "${target}" names a path in an image, and no image`, {
      field: "mounts.image_sub_path",
    })
  return {
    type: "bind",
    // a link means what it leads to now
    source: resolved(source),
    target,
    readOnly,
    createSource: false,
    propagation: PROPAGATION[propagation],
    ...(readOnly && { recursion: isRecursive ? "readonly" : "writable" }),
    ...(mount.uidMappings.length > 0 && { idMap: "" }),
  }
}

function resolved(source: string): string {
  if (!source.startsWith("/"))
    throw new InvalidArgument(`the path "${source.slice(0, 200)}" to be mounted is not absolute`, {
      field: "mounts.host_path",
    })
  try {
    return realpathSync(source)
  } catch (cause) {
    throw new InvalidArgument(`the path "${source}" to be mounted is not there`, { field: "mounts.host_path", cause })
  }
}

function imageOf(mount: Mount, target: string): MountRequest {
  const { image, host_path, readonly: readOnly, image_sub_path: subpath } = mount
  if (host_path !== "")
    throw new InvalidArgument(`the mount at "${target}" is of an image and of "${host_path}": one of them is wanted`, {
      field: "mounts.host_path",
    })
  if (!readOnly)
    throw new InvalidArgument(`the image mounted at "${target}" must be read-only`, { field: "mounts.readonly" })
  return {
    type: "image",
    source: image?.image ?? "",
    target,
    readOnly,
    ...(subpath !== "" && { subpath: checkSubpath(subpath) }),
  }
}
