import { InvalidArgument } from "../base/errors.ts"
import { formatSize } from "../base/sizes.ts"
import type { Bytes } from "../base/bytes.ts"
import { decompress } from "./compression.ts"

/** How much may come out of what goes in. */
export interface ExpansionLimits {
  /** Uncompressed to compressed, counted once `expansionFreeBytes` have come out: what a gzip bomb passes and no layer does. */
  expansionRatio: number
  expansionFreeBytes: number
}

/** Those of layers and archives. */
export const EXPANSION_LIMITS: ExpansionLimits = { expansionRatio: 200, expansionFreeBytes: 2 ** 30 }

/** As `decompress`, and no further than the limits. `called`: what it is, for the message. Throws InvalidArgument, DataLoss. */
export async function* decompressBounded(
  compressed: Bytes,
  called: string,
  { expansionRatio, expansionFreeBytes }: ExpansionLimits = EXPANSION_LIMITS,
): Bytes {
  let [input, output] = [0, 0]
  async function* counting(): Bytes {
    for await (const chunk of compressed) {
      input += chunk.length
      yield chunk
    }
  }
  for await (const chunk of decompress(counting())) {
    output += chunk.length
    if (output > Math.max(expansionFreeBytes, input * expansionRatio))
      throw new InvalidArgument(`the ${called} grows from ${formatSize(input)} to more than ${formatSize(output)}`, {
        hint: `what expands so is taken for an attack on the disk`,
      })
    yield chunk
  }
}
