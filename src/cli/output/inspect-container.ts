import type { Containers } from "../../container/container.ts"
import { containerDocument } from "../../docker/container-document.ts"
import { flag } from "../flag.ts"

/** `--size` of inspect. */
export const SIZE_FLAG = flag.bool("Display total file sizes", { short: "s" })

/** Docker's inspect document, with sizes where they are asked for. */
export async function inspectContainer(
  containers: Containers,
  name: string,
  { size }: { size: boolean },
): Promise<object> {
  const details = await containers.inspect(name)
  return containerDocument(details, size ? await containers.size(name) : undefined)
}
