import { flag } from "../flag.ts"

/** `-t` of verbs that stop. */
export const timeoutFlag = flag.int("Specify a shutdown timeout in seconds", { short: "t" })

/** As docker: a negative time waits for ever. */
export function timeoutOption(timeout: number | undefined): { timeoutSeconds?: number } {
  if (timeout === undefined) return {}
  return { timeoutSeconds: timeout < 0 ? Infinity : timeout }
}
