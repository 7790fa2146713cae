import { afterAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { admissionOf } from "./policy.ts"

const home = mkdtempSync(join(tmpdir(), "skiff-policy-"))
mkdirSync(join(home, ".config/containers"), { recursive: true })
afterAll(() => rmSync(home, { recursive: true }))

const accept = [{ type: "insecureAcceptAnything" }]
const reject = [{ type: "reject" }]
const signed = [{ type: "signedBy", keyType: "GPGKeys", keyData: "AAAA" }]

async function check(policy: unknown, name = "docker.io/library/debian"): Promise<string> {
  writeFileSync(join(home, ".config/containers/policy.json"), JSON.stringify(policy))
  const slash = name.indexOf("/")
  try {
    const ref = { registry: name.slice(0, slash), repository: name.slice(slash + 1), tag: "12" }
    const admission = await admissionOf({ transport: "docker", ref }, { HOME: home })
    return admission === undefined ? "accepted" : `asks for ${admission.signers.join(" and ")}`
  } catch (error) {
    return (error as { code: string }).code
  }
}

test.each([
  [{ default: accept }, "accepted"],
  [{ default: reject }, "PermissionDenied"],
  [{ default: signed }, 'asks for the key "keyData"'],
  [{ default: [...signed, ...signed] }, 'asks for the key "keyData" and the key "keyData"'],
  [{ default: [{ type: "signedBy", keyType: "GPGKeys" }] }, "InvalidArgument"],
  [{ default: [{ type: "signedBy", keyType: "X509Certificates", keyData: "AAAA" }] }, "Unsupported"],
  [{ default: [{ type: "trusted" }] }, "InvalidArgument"],
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
])("%j: %s", async (policy, expected) => {
  expect(await check(policy)).toBe(expected)
})

test("a wildcard scope covers the hosts below", async () => {
  const policy = { default: accept, transports: { docker: { "*.example.com": reject } } }
  expect(await check(policy, "a.example.com/x")).toBe("PermissionDenied")
  expect(await check(policy, "example.com/x")).toBe("accepted")
})
