import { InvalidArgument } from "../../base/errors.ts"

/** What `--ulimit` asks for. */
export interface Ulimit {
  name: string
  soft: number
  hard: number
}

const NAMES =
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack as".split(" ")

/** Parses docker's `--ulimit nofile=1024:2048`; `-1` is no limit. Throws InvalidArgument in docker's words. */
export function parseUlimit(text: string): Ulimit {
  const [, name = "", softText = "", hardText = softText] = /^([^=]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? []
  if (name === "")
    throw new InvalidArgument(`invalid ulimit argument: ${text}`, {
      hint: "expected NAME=SOFT[:HARD], such as nofile=1024",
    })
  if (!NAMES.includes(name)) throw new InvalidArgument(`invalid ulimit type: ${name}`, { hint: { valid: NAMES } })
  const [soft, hard] = [Number(softText), Number(hardText)]
  if (soft < -1 || hard < -1 || !Number.isSafeInteger(soft) || !Number.isSafeInteger(hard))
    throw new InvalidArgument(`invalid ulimit argument: ${text}`)
  if (hard !== -1 && (soft > hard || soft === -1))
    throw new InvalidArgument(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
  return { name, soft, hard }
}
