import type { Containers } from "../../container/container.ts"
import type { Documents } from "../compat/documents.ts"
import { flag } from "../flag.ts"

/** `--size` of inspect. */
export const SIZE_FLAG = flag.bool("Display total file sizes", { short: "s" })

/** The inspect document, with sizes where they are asked for. */
export async function inspectContainer(
  { container: document }: Documents,
  containers: Containers,
  name: string,
  { size }: { size: boolean },
): Promise<object> {
  const details = await containers.inspect(name)
  return document(details, size ? await containers.size(name) : undefined)
}
