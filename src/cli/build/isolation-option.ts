import { InvalidArgument } from "../../base/errors.ts"
import type { RequestedIsolation } from "../../build/build.ts"
import { flag } from "../flag.ts"

const LEVELS = ["auto", "full", "userns", "single-uid", "chroot"] as const

/** Docker's and Buildah's words. `rootless` is what an ordinary user gets anyway. */
const ALIASES: Readonly<Record<string, RequestedIsolation>> = {
  "": "auto",
  default: "auto",
  rootless: "auto",
  oci: "full",
}

/** `--isolation`. */
export const ISOLATION = flag.of(
  readIsolation,
  "Isolation level of RUN steps (default: the best that is possible)",
  "level",
  { completes: LEVELS },
)

function readIsolation(text: string): RequestedIsolation {
  const level = ALIASES[text] ?? LEVELS.find((one) => one === text)
  if (level === undefined)
    throw new InvalidArgument(`must be one of ${LEVELS.join(", ")}`, {
      hint: "see docs/build.md, Inside CI containers",
    })
  return level
}
