import { InvalidArgument } from "../../base/errors.ts"

/**
 * Whether the program and its children may gain no privilege by setuid files (`--security-opt no-new-privileges`).
 * Off by default, rootless too: with it `sudo`, `su` and `ping` of common images fail, and docker's users, rootless ones
 * included, know them to work; inside a user namespace root is the user anyway.
 */
export function noNewPrivileges(securityOptions: readonly string[]): boolean {
  let on = false
  for (const option of securityOptions) {
    const [, value] = /^no-new-privileges(?:[:=](true|false))?$/.exec(option) ?? []
    if (option.startsWith("no-new-privileges")) {
      if (!/^no-new-privileges(?:[:=](true|false))?$/.test(option)) throw invalid(option)
      on = value !== "false"
    } else if (seccompOption(option) === undefined && !/^label[:=]disable$|^apparmor[:=]unconfined$/.test(option)) {
      throw invalid(option)
    }
  }
  return on
}

/** `unconfined`, or the path of a profile in docker's format; undefined: the default profile. The last one counts. */
export function seccompChoice(securityOptions: readonly string[]): string | undefined {
  return securityOptions.findLast((option) => seccompOption(option) !== undefined)?.replace(/^seccomp[:=]/, "")
}

function seccompOption(option: string): string | undefined {
  return /^seccomp[:=](.+)$/.exec(option)?.[1]
}

function invalid(option: string): InvalidArgument {
  return new InvalidArgument(`invalid security option "${option}"`, {
    field: "securityOptions",
    hint: { valid: ["no-new-privileges", "seccomp=FILE", "seccomp=unconfined"] },
  })
}
