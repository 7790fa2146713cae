import { Unsupported } from "../../base/errors.ts"
import type { Flag } from "../flag.ts"

/** A flag of others that we do not take up: with the reason, and what to do instead. */
export function refused(reason: string, hint?: string): Flag<undefined> {
  return {
    help: `Refused: ${reason}`,
    typeName: "string",
    initial: undefined,
    read() {
      throw new Unsupported(reason, { hint })
    },
  }
}

/** The flag may stand alone, and then means `bare`. */
export function withoutValue<T>(one: Flag<T>, bare: string): Flag<T> {
  return { ...one, bare }
}
