import type { Flags } from "../flag.ts"

/**
 * What podman does where nothing is said and docker does nothing: proxies of the caller, a line in passwd for an unknown number, writable
 * places in a read-only container, systemd where the program is an init, memory that others may join. `PODMAN_USERNS` as podman-run(1)
 * has it. Pure.
 */
export function withPodmanDefaults(
  name: string,
  flags: Flags,
  env: Readonly<Record<string, string | undefined>>,
): Flags {
  if (name !== "container run" && name !== "container create") return flags
  const userns = env.PODMAN_USERNS
  const defaults: Readonly<Record<string, unknown>> = {
    httpProxy: true,
    passwd: true,
    readOnlyTmpfs: true,
    systemd: "auto",
    umask: 0o022,
    ipc: { kind: "shareable" },
    engineName: "podman",
    ...(userns !== undefined && userns !== "" && { userns: flags.userns?.read(userns, undefined) }),
  }
  return Object.fromEntries(
    Object.entries(flags).map(([property, one]) => [
      property,
      property in defaults ? { ...one, initial: defaults[property] } : one,
    ]),
  )
}
