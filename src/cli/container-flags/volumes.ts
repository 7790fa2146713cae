import { Unsupported } from "../../base/errors.ts"
import type { ContainerOptions } from "../../container/container.ts"
import { parseVolumesFrom } from "../../spec/docker/volumes-from.ts"
import { flag, type FlagValues } from "../flag.ts"

/** Docker's flags on volumes beside `--volume` and `--mount`. */
export const VOLUME_FLAGS = {
  volumeDriver: flag.of(readDriver, "Optional volume driver for the container", "string", { completes: ["local"] }),
  volumesFrom: flag.list(parseVolumesFrom, "Mount volumes from the specified container(s)", "list", {
    completes: "containers",
  }),
}

/** What they ask for. */
export function volumeOptions({ volumesFrom }: FlagValues<typeof VOLUME_FLAGS>): Pick<ContainerOptions, "volumesFrom"> {
  return volumesFrom.length === 0 ? {} : { volumesFrom }
}

function readDriver(text: string): string {
  if (text === "" || text === "local") return text
  throw new Unsupported(`there is no volume driver "${text}"`, { hint: { valid: ["local"] } })
}
