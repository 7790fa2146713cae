import { expect, test } from "bun:test"
import { InvalidArgument } from "../../base/errors.ts"
import { parseDigest } from "../../spec/digest.ts"
import { matchesIdentity, parseIdentityRule } from "./identity.ts"

const DIGEST = parseDigest(`sha256:${"a".repeat(64)}`)
const tagged = { registry: "docker.io", repository: "library/debian", tag: "12" }
const digested = { registry: "docker.io", repository: "library/debian", digest: DIGEST }
const rule = (fields?: object) => parseIdentityRule(fields, (why) => new InvalidArgument(why))

// containers-policy.json(5), "signedIdentity"
test.each([
  [undefined, tagged, "debian:12", true],
  [undefined, tagged, "docker.io/library/debian:12", true],
  [undefined, tagged, "index.docker.io/library/debian:12", true],
  [undefined, tagged, "debian:13", false],
  [undefined, tagged, "debian", false],
  [undefined, tagged, `debian@${DIGEST}`, false],
  [undefined, tagged, "quay.io/library/debian:12", false],
  [undefined, digested, "debian:13", true],
  [undefined, digested, "debian", false],
  [undefined, digested, "debian2:12", false],
  [undefined, undefined, "debian:12", false],
  [{ type: "matchExact" }, digested, "debian:12", false],
  [{ type: "matchExact" }, digested, `debian@${DIGEST}`, true],
  [{ type: "matchRepository" }, tagged, "debian", true],
  [{ type: "matchRepository" }, tagged, "debian:1", true],
  [{ type: "matchRepository" }, tagged, "debian/x", false],
  [{ type: "exactReference", dockerReference: "vendor.example/a:1" }, tagged, "vendor.example/a:1", true],
  [{ type: "exactReference", dockerReference: "vendor.example/a:1" }, undefined, "vendor.example/a:1", true],
  [{ type: "exactReference", dockerReference: "vendor.example/a:1" }, tagged, "vendor.example/a", false],
  [{ type: "exactRepository", dockerRepository: "vendor.example/a" }, tagged, "vendor.example/a:7", true],
  [{ type: "exactRepository", dockerRepository: "vendor.example/a" }, tagged, "vendor.example/ab:7", false],
  [
    { type: "remapIdentity", prefix: "docker.io/library", signedPrefix: "v.example/l" },
    tagged,
    "v.example/l/debian:12",
    true,
  ],
  [{ type: "remapIdentity", prefix: "docker.io/library", signedPrefix: "v.example/l" }, tagged, "debian:12", false],
  [{ type: "remapIdentity", prefix: "docker.io/lib", signedPrefix: "v.example/l" }, tagged, "debian:12", true],
  [{ type: "remapIdentity", prefix: "quay.io", signedPrefix: "v.example" }, tagged, "debian:12", true],
] as const)("%j, of %j, signed for %s: %p", (fields, ref, signed, expected) => {
  expect(matchesIdentity(rule(fields), ref, signed)).toBe(expected)
})

test.each([
  [{ type: "any" }, "unknown signedIdentity"],
  [{}, "unknown signedIdentity"],
  ["matchExact", "unknown signedIdentity"],
  [{ type: "toString" }, "unknown signedIdentity"],
  [{ type: "matchExact", dockerReference: "a:1" }, 'unknown field "dockerReference"'],
  [{ type: "exactReference" }, 'needs "dockerReference"'],
  [{ type: "exactReference", dockerReference: "a" }, "no reference with a tag"],
  [{ type: "exactReference", dockerReference: "A:1" }, "no reference with a tag"],
  [{ type: "exactRepository", dockerRepository: "a:1" }, "no repository"],
  [{ type: "remapIdentity", prefix: "a" }, 'needs "signedPrefix"'],
])("%j is no rule", (fields, message) => {
  expect(() => rule(fields as object)).toThrow(message)
})
