import { InvalidArgument } from "../../base/errors.ts"
import { DEFAULT_PATH } from "../../spec/docker/environment.ts"
import type { EnvironmentOptions } from "../identity-options.ts"

/** What the variables of a container are made of. */
export interface EnvironmentInput {
  image: readonly string[]
  /** `NAME=VALUE`; `NAME` alone takes it away. */
  own: readonly string[]
  hostname: string
  tty: boolean
  more?: EnvironmentOptions | undefined
  /** By the engine, in the image's place: `container=oci`. */
  extra?: readonly string[]
}

/**
 * Declared values only: an entry without `=` or without a name would make libc or a shell look elsewhere, so an image's is
 * dropped (CVE-2026-57231, CVE-2021-21334), and a user's `NAME` alone takes the variable away, as docker's. Pure. Throws
 * InvalidArgument.
 */
export function environment({ image, own, hostname, tty, more = {}, extra = [] }: EnvironmentInput): string[] {
  const values = new Map<string, string>()
  const named = more.engineName === undefined ? [] : [`container=${more.engineName}`]
  const engines = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${hostname}`, ...(tty ? ["TERM=xterm"] : []), ...extra, ...named]
  for (const entry of [...(more.below ?? []), ...(more.unsetAll ? [] : [...engines, ...image])]) {
    const at = entry.indexOf("=")
    if (at > 0 && !entry.includes("\0")) values.set(entry.slice(0, at), entry.slice(at + 1))
  }
  for (const name of more.unset ?? []) values.delete(name)
  for (const entry of more.merge ?? []) {
    const at = checkedEntry(entry)
    if (at > 0) values.set(entry.slice(0, at), expand(entry.slice(at + 1), values))
  }
  for (const entry of own) {
    const at = checkedEntry(entry)
    if (at < 0) values.delete(entry)
    else values.set(entry.slice(0, at), entry.slice(at + 1))
  }
  return [...values].map(([name, value]) => `${name}=${value}`)
}

/** Where its `=` is; -1 without one. */
function checkedEntry(entry: string): number {
  const at = entry.indexOf("=")
  if (at === 0 || entry === "" || entry.includes("\0"))
    throw new InvalidArgument(`invalid environment variable "${entry.slice(0, 100)}"`, {
      hint: "expected NAME=value",
    })
  return at
}

/** `$NAME` and `${NAME}`; one that is not there is empty, as a shell has it. */
function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, plain: string | undefined) => {
    return values.get(braced ?? plain ?? "") ?? ""
  })
}
