/** Flags of `run` and `create` that say which variables a program finds, beside `--env`: podman's. */
import { InvalidArgument } from "../../base/errors.ts"
import type { EnvironmentOptions } from "../../container/container.ts"
import { callerEnvironment } from "../../sys/process/caller-environment.ts"
import { flag, type FlagValues } from "../flag.ts"

export const ENVIRONMENT_FLAGS = {
  engineName: flag.string("What the variable `container` says", "string", { hidden: true }),
  envHost: flag.bool("Use all of your own environment, below the image's"),
  envMerge: flag.list(readAssignment, "Set a variable with ${NAME} of image and engine filled in"),
  httpProxy: flag.bool("Use the proxy variables of your own environment"),
  unsetenv: flag.strings("Unset a variable of image or engine"),
  unsetenvAll: flag.bool("Unset all variables of image and engine"),
}

const PROXIES = new Set(["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"])

/** Undefined when nothing is asked for. */
export function environmentOptions(flags: FlagValues<typeof ENVIRONMENT_FLAGS>): EnvironmentOptions | undefined {
  const { engineName, envHost, envMerge, httpProxy, unsetenv, unsetenvAll } = flags
  const isPlain = !envHost && !httpProxy && !unsetenvAll && envMerge.length + unsetenv.length === 0
  if (isPlain && engineName === undefined) return undefined
  const names = (name: string): boolean => envHost || (httpProxy && PROXIES.has(name.toLowerCase()))
  const below = Object.entries(callerEnvironment()).flatMap(([name, value]) =>
    value !== undefined && names(name) && !isOurs(name) ? [`${name}=${value}`] : [],
  )
  return { below, engineName, merge: envMerge, unset: unsetenv, unsetAll: unsetenvAll }
}

/** Set by skiff itself for the process that it becomes. */
const isOurs = (name: string): boolean => /^_?SKIFF_/.test(name)

function readAssignment(text: string): string {
  if (!/^[^=\0]+=/.test(text)) throw new InvalidArgument("expected NAME=VALUE")
  return text
}
