import { existsSync } from "node:fs"
import { InvalidArgument } from "../base/errors.ts"
import type { RegistryAccess } from "../registry/registry.ts"
import { readBoolean } from "../spec/docker/boolean.ts"
import { UsageError } from "./errors/usage-error.ts"
import { flag, type FlagValues } from "./flag.ts"

/** `--authfile`. */
export const authfile = flag.string("Path of the file with credentials", "string")
/** `--tls-verify`. */
export const tlsVerify = flag.of(
  readBoolean,
  "Require HTTPS and verify certificates (default true, except for loopback)",
  "bool",
)

/** What commands that speak to a registry have in common. */
export const REGISTRY_FLAGS = {
  authfile,
  certDir: flag.string("Directory with certificates for the registry, instead of certs.d", "string"),
  creds: flag.of(readCredentials, "Username and password for the registry", "USER:PASSWORD"),
  retry: flag.of(readRetries, "Number of retries of a failed request (default 3)", "int"),
  retryDelay: flag.duration("Delay before the first retry (default 500ms)"),
  tlsVerify,
}

/** What the flags say of how a registry is reached. */
export function registryAccess(flags: FlagValues<typeof REGISTRY_FLAGS>): RegistryAccess {
  checkAuthfile(flags.authfile)
  const { authfile: authFile, certDir, creds: credentials, retry: retries, retryDelay: retryDelayMs } = flags
  return { authFile, certDir, credentials, retries, retryDelayMs, tlsVerify: flags.tlsVerify }
}

/** A file that was named is there; what is to be read of it is another matter. Throws UsageError in podman's words. */
export function checkAuthfile(path: string | undefined): void {
  if (path !== undefined && path !== "" && !existsSync(path))
    throw new UsageError(`checking authfile: stat ${path}: no such file or directory`)
}

/** `USER:PASSWORD`. Throws InvalidArgument. */
export function readCredentials(text: string): { username: string; password: string } {
  const colon = text.indexOf(":")
  if (colon < 1) throw new InvalidArgument("expected USER:PASSWORD")
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

function readRetries(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgument("expected a number")
  return Number(text)
}
