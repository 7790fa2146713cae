/** What becomes of a container's security options and of the host's hooks. */
import type { ConfigInput } from "../runtime/runtime.ts"
import type { OciConfig } from "../spec/oci-runtime.ts"
import type { ContainerDeps } from "./deps.ts"
import type { ContainerRecord } from "./record.ts"

/** Podman's, which it reads where it is told to. */
const SECCOMP_LABEL = "io.containers.seccomp.profile"

type SecurityInput = Pick<
  ConfigInput,
  "cdiDevices" | "hooks" | "seccompProfile" | "maskedPaths" | "readonlyPaths" | "ambientCapabilities"
>

/** As a `config.json` is made of them. */
export function securityInput({ spec }: ContainerRecord): SecurityInput {
  const { seccompFromImage = false, ...given } = spec.options.security ?? {}
  const profile = seccompFromImage ? spec.run.labels[SECCOMP_LABEL] : undefined
  return {
    hooks: { hasBindMounts: spec.mounts.some(({ type }) => type === "bind") },
    ...given,
    ...(profile !== undefined && { seccompProfile: profile }),
  }
}

/** Written down before anything runs: a container with hooks is started and deleted by its runtime alone, which runs them. */
export async function markHooks(deps: ContainerDeps, record: ContainerRecord, { hooks }: OciConfig): Promise<void> {
  if (hooks === undefined) return
  record.state.hasHooks = true
  await deps.records.whenFree()
  deps.records.save(record)
}
