import { isSkiffError } from "../../base/errors.ts"
import type { Containers } from "../../container/container.ts"
import type { ProjectContainer } from "../project-containers.ts"
import type { Service } from "../project.ts"
import type { InheritedVolumes } from "../service/mounts.ts"

/** Volumes without a name that a container has, by target: whoever replaces it goes on with them. */
export async function anonymousVolumes(
  containers: Containers,
  { container }: ProjectContainer,
): Promise<InheritedVolumes> {
  try {
    const { mounts } = await containers.inspect(container.id)
    return new Map(
      mounts.flatMap(({ target, name, anonymous }) =>
        anonymous === true && name !== undefined ? [[target, name]] : [],
      ),
    )
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return new Map()
    throw error
  }
}

/** Whether the file says its address. */
export function hasOwnAddress({ networks = {} }: Service): boolean {
  return Object.values(networks).some((one) => one?.ipv4_address !== undefined || one?.ipv6_address !== undefined)
}
