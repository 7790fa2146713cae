import { InvalidArgument } from "../../base/errors.ts"
import { isIpAddress } from "./ip-address.ts"

/** Parses docker's `--add-host NAME:ADDRESS` (or `=`; IPv6 with or without brackets); gives `name:address`. Throws InvalidArgument. */
export function parseExtraHost(text: string): string {
  const [, name = "", address = ""] = /^([^:=]+)[:=](.+)$/.exec(text) ?? []
  if (name === "" || /[\s\0]/.test(name)) throw new InvalidArgument(`bad format for add-host: "${text}"`)
  const bare = address.replace(/^\[(.*)\]$/, "$1")
  if (bare !== "host-gateway" && !isIpAddress(bare))
    throw new InvalidArgument(`invalid IP address in add-host: "${address}"`, { hint: "or host-gateway" })
  return `${name}:${bare}`
}
