import { InvalidArgument } from "../../base/errors.ts"
import { parseSize } from "../../base/sizes.ts"
import { checkTarget, PROPAGATIONS, type TmpfsRequest } from "./mount-request.ts"
import { FILE_WORDS } from "./mount-words.ts"

const KEYS = new Set(["sync", "async", "dirsync", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"])
const COPY_UP = new Set(["tmpcopyup", "notmpcopyup"])

/** Parses docker's and podman's `--tmpfs /run:rw,size=64m,mode=1777`. Throws InvalidArgument. */
export function parseTmpfs(text: string): TmpfsRequest {
  const colon = text.indexOf(":")
  const request: TmpfsRequest = {
    type: "tmpfs",
    target: checkTarget(colon < 0 ? text : text.slice(0, colon)),
    readOnly: false,
  }
  const options: string[] = []
  for (const word of colon < 0 ? [] : text.slice(colon + 1).split(",")) {
    const [key = "", value = ""] = word.split("=", 2)
    if (word === "ro") request.readOnly = true
    else if (key === "size") request.sizeBytes = parseSize(value, "size of tmpfs")
    else if (key === "mode") request.mode = parseFileMode(value)
    else if (isTmpfsWord(word)) options.push(word)
    else if (word !== "rw") throw new InvalidArgument(`invalid tmpfs option: ${word}`)
  }
  return options.length === 0 ? request : { ...request, options }
}

/** Besides size, mode, `ro` and `rw`. */
export function isTmpfsWord(word: string): boolean {
  const [key = ""] = word.split("=", 1)
  return FILE_WORDS.has(word) || KEYS.has(key) || COPY_UP.has(word) || PROPAGATIONS.includes(word)
}

/** Octal. Throws InvalidArgument. */
export function parseFileMode(text: string): number {
  if (!/^[0-7]{1,5}$/.test(text)) throw new InvalidArgument(`invalid value for tmpfs-mode: ${text}`)
  return Number.parseInt(text, 8)
}
