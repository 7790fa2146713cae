import type { PodStop } from "../../pod/pod.ts"
import { flag } from "../flag.ts"

/** `--time` of commands that stop pods. */
export const POD_TIME_FLAG = flag.int("Seconds to wait before killing the containers", { short: "t" })

/** `--ignore` of commands that take several pods. */
export const IGNORE_POD_FLAG = flag.bool("Ignore pods that do not exist", { short: "i" })

/** A negative time waits for ever. */
export function podStop(time: number | undefined): PodStop {
  return time === undefined ? {} : { timeoutSeconds: time < 0 ? Infinity : time }
}
