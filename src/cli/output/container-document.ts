import type { Containers } from "../../container/container.ts"
import { flag } from "../flag.ts"

export const SIZE_FLAG = flag.bool("Display total file sizes", { short: "s" })

/** Docker's inspect document, with sizes where they are asked for. */
export async function containerDocument(
  containers: Containers,
  name: string,
  { size }: { size: boolean },
): Promise<object> {
  const document = await containers.inspect(name)
  if (!size) return document
  const { writableBytes, rootBytes } = await containers.size(name)
  return { ...document, SizeRw: writableBytes, SizeRootFs: rootBytes }
}
