import { CHOICE_FLAGS } from "./choose-containers.ts"
import { flag, type FlagValues } from "./flag.ts"

/** Flags of `stop` and `restart`. */
export const STOP_FLAGS = {
  ...CHOICE_FLAGS,
  signal: flag.string("Signal to send to the container", "string", { short: "s" }),
  timeout: flag.int("Seconds to wait before killing the container", { short: "t" }),
  time: flag.int("The same as --timeout", { typeName: "int" }),
}

/** Docker: a negative time waits for ever. */
export function stopOptions({
  signal,
  timeout,
  time,
}: Pick<FlagValues<typeof STOP_FLAGS>, "signal" | "timeout" | "time">): {
  signal?: string
  timeoutSeconds?: number
} {
  const seconds = timeout ?? time
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(seconds === undefined ? {} : { timeoutSeconds: seconds < 0 ? Infinity : seconds }),
  }
}
