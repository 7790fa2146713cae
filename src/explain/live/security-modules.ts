import { readValue } from "./cgroups.ts"

/** The security modules of this kernel (LSM), in their order; none where the file system that tells is not mounted. */
export function securityModules(): string[] {
  return readValue("/sys/kernel/security/lsm")?.split(",").filter(Boolean) ?? []
}
