import { InvalidArgument } from "../../base/errors.ts"
import type { TrustedScope, TrustRequirement, TrustRule } from "../registry.ts"
import { findPolicy, writePolicy, type Policy } from "./policy-file.ts"

/** Words of `image trust` for the types of containers-policy.json(5). */
const WORDS: Readonly<Record<string, TrustRequirement>> = {
  insecureAcceptAnything: "accept",
  reject: "reject",
  signedBy: "signed",
  sigstoreSigned: "sigstoreSigned",
}

/** What the policy says of every scope, the default first; without a policy everything is accepted. Throws InvalidArgument. */
export function trustedScopes(): TrustedScope[] {
  const { policy } = findPolicy() ?? { policy: ACCEPT_ALL }
  const scopes = Object.entries(policy.transports ?? {}).flatMap(([transport, named]) =>
    Object.entries(named ?? {}).flatMap(([name, requirements]) => rowsOf(transport, name, requirements)),
  )
  return [...rowsOf("all", "default", policy.default), ...scopes]
}

/** The file's own text, as it is or as it would be. Throws InvalidArgument. */
export function rawPolicy(): unknown {
  return findPolicy()?.policy ?? ACCEPT_ALL
}

/** From now on `scope` (`default`, a registry, a repository, one tag) is trusted by `rule` alone. Gives the file's path. Throws InvalidArgument. */
export function setTrust(scope: string, rule: TrustRule): string {
  const found = findPolicy()
  const requirements = [requirementOf(rule)]
  const policy: Policy = found?.policy ?? ACCEPT_ALL
  if (scope === "default") return writePolicy({ ...policy, default: requirements }, found)
  checkScope(scope)
  const { docker, ...others } = policy.transports ?? {}
  const transports = { ...others, docker: { ...docker, [scope]: requirements } }
  return writePolicy({ ...policy, transports }, found)
}

const ACCEPT_ALL: Policy = { default: [{ type: "insecureAcceptAnything" }] }

function rowsOf(transport: string, name: string, requirements: unknown): TrustedScope[] {
  const list = Array.isArray(requirements) ? requirements : []
  return list.map((each: Record<string, unknown>) => ({
    transport: transport === "docker" ? "repository" : transport,
    name: name === "" ? "default" : name,
    requirement: WORDS[String(each.type)] ?? String(each.type),
    keys: [each.keyPath, each.keyPaths, signerOf(each.fulcio), signerOf(each.pki)]
      .flat()
      .filter((path) => typeof path === "string"),
  }))
}

/** Whom a certificate must name. */
function signerOf(fields: unknown): unknown {
  if (typeof fields !== "object" || fields === null) return undefined
  const { subjectEmail, subjectHostname } = fields as Record<string, unknown>
  return subjectEmail ?? subjectHostname
}

function requirementOf({ type, keyPaths }: TrustRule): object {
  if (type === "accept") return { type: "insecureAcceptAnything" }
  if (type === "reject") return { type: "reject" }
  const keys = keyPaths.length === 1 ? { keyPath: keyPaths[0] } : { keyPaths }
  if (type === "signedBy") return { type: "signedBy", keyType: "GPGKeys", ...keys }
  return { type: "sigstoreSigned", ...keys }
}

/** As checks compare it: HOST[:PORT][/PATH][:TAG|@DIGEST], or `*.DOMAIN`. */
function checkScope(scope: string): void {
  if (/^(?:\*\.)?[a-zA-Z0-9][\w.-]*(?::\d+)?(?:\/[\w./-]+)?(?::[\w.-]+|@sha256:[0-9a-f]{64})?$/.test(scope)) return
  throw new InvalidArgument(`invalid scope "${scope}"`, {
    hint: "expected default, a registry, or a repository with its registry: registry.example/team",
  })
}
