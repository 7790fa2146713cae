import { createHash } from "node:crypto"
import type { ChainId, DiffId } from "./digest.ts"

/** The chain id of each layer, lowest first (image-spec config.md#layer-chainid). */
export function chainIds(diffIds: readonly DiffId[]): ChainId[] {
  const chain: ChainId[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    const text =
      below === undefined ? diffId : `sha256:${createHash("sha256").update(`${below} ${diffId}`).digest("hex")}`
    chain.push(text as ChainId)
  }
  return chain
}
