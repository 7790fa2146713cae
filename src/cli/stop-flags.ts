import { flag, type FlagValues } from "./flag.ts"

/** Flags of `stop` and `restart`. */
export const STOP_FLAGS = {
  signal: flag.string("Signal to send to the container", "string", { short: "s" }),
  timeout: flag.int("Seconds to wait before killing the container", { short: "t", aliases: ["time"] }),
}

/** Docker: a negative time waits for ever. */
export function stopOptions({ signal, timeout }: FlagValues<typeof STOP_FLAGS>): {
  signal?: string
  timeoutSeconds?: number
} {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(timeout === undefined ? {} : { timeoutSeconds: timeout < 0 ? Infinity : timeout }),
  }
}
