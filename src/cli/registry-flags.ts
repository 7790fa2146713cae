import { InvalidArgument } from "../base/errors.ts"
import { flag, readBoolean } from "./flag.ts"

export const authfile = flag.string("Path of the file with credentials", "string")
export const tlsVerify = flag.of(
  readBoolean,
  "Require HTTPS and check certificates (default true, but for loopback)",
  "bool",
)

/** What commands that speak to a registry have in common. */
export const REGISTRY_FLAGS = {
  authfile,
  creds: flag.of(readCredentials, "Username and password for the registry", "USER:PASSWORD"),
  tlsVerify,
}

function readCredentials(text: string): { username: string; password: string } {
  const colon = text.indexOf(":")
  if (colon < 1) throw new InvalidArgument("expected USER:PASSWORD")
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
