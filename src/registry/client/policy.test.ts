import { afterAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { checkPolicy } from "./policy.ts"

const home = mkdtempSync(join(tmpdir(), "skiff-policy-"))
mkdirSync(join(home, ".config/containers"), { recursive: true })
afterAll(() => rmSync(home, { recursive: true }))

const accept = [{ type: "insecureAcceptAnything" }]
const reject = [{ type: "reject" }]
const signed = [{ type: "signedBy", keyType: "GPGKeys" }]

function check(policy: unknown, name = "docker.io/library/debian"): string {
  writeFileSync(join(home, ".config/containers/policy.json"), JSON.stringify(policy))
  const slash = name.indexOf("/")
  try {
    checkPolicy({ registry: name.slice(0, slash), repository: name.slice(slash + 1), tag: "12" }, { HOME: home })
    return "accepted"
  } catch (error) {
    return (error as { code: string }).code
  }
}

test.each([
  [{ default: accept }, "accepted"],
  [{ default: reject }, "PermissionDenied"],
  [{ default: signed }, "Unsupported"],
  [{ default: [...accept, ...reject] }, "PermissionDenied"],
  [{ default: [] }, "InvalidArgument"],
  [{}, "InvalidArgument"],
  [[], "InvalidArgument"],
  [{ default: reject, transports: { docker: { "docker.io/library": accept } } }, "accepted"],
  [{ default: accept, transports: { docker: { "docker.io/library/debian:12": reject } } }, "PermissionDenied"],
  [{ default: accept, transports: { docker: { "docker.io/library/debian:1": reject } } }, "accepted"],
  [{ default: accept, transports: { docker: { "": reject, "docker.io": accept } } }, "accepted"],
  [{ default: accept, transports: { docker: { "": reject, "quay.io": accept } } }, "PermissionDenied"],
  [{ default: accept, transports: { "docker-daemon": { "": reject } } }, "accepted"],
])("%j: %s", (policy, expected) => {
  expect(check(policy)).toBe(expected)
})

test("a wildcard scope covers the hosts below", () => {
  const policy = { default: accept, transports: { docker: { "*.example.com": reject } } }
  expect(check(policy, "a.example.com/x")).toBe("PermissionDenied")
  expect(check(policy, "example.com/x")).toBe("accepted")
})
