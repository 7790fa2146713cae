import type { ContainerOptions } from "../../container/container.ts"
import type { MountRequest } from "../../spec/docker/mount-request.ts"
import { parseVolumesFrom } from "../../spec/docker/volumes-from.ts"
import { flag, type FlagValues } from "../flag.ts"

/** Docker's flags on volumes beside `--volume` and `--mount`. */
export const VOLUME_FLAGS = {
  volumeDriver: flag.string("Optional volume driver for the container", "string", {
    completes: ["local", "image"],
  }),
  volumesFrom: flag.list(parseVolumesFrom, "Mount volumes from the specified container(s)", "list", {
    completes: "containers",
  }),
}

/** What they ask for. */
export function volumeOptions({ volumesFrom }: FlagValues<typeof VOLUME_FLAGS>): Pick<ContainerOptions, "volumesFrom"> {
  return volumesFrom.length === 0 ? {} : { volumesFrom }
}

/** The mounts of `--volume` with the driver of `--volume-driver`. */
export function withDriver(mounts: readonly MountRequest[], driver: string | undefined): readonly MountRequest[] {
  if (!driver) return mounts
  return mounts.map((mount) => (mount.type === "volume" ? Object.assign({}, mount, { driver }) : mount))
}
