import { isSecretVariable } from "../misconfiguration/image-rules.ts"

/** A step of a history without the values of variables that are named as secrets: `NAME=VALUE`, `NAME="VALUE"`. */
export function withoutNamedValues(line: string): string {
  return line.replaceAll(/\b([A-Za-z_]\w{0,200})=("[^"]*"|[^\s"]+)/g, (all: string, name: string, value: string) =>
    isSecretVariable(name, value.replaceAll('"', "")) ? `${name}=${"*".repeat(8)}` : all,
  )
}
