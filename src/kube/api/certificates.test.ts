import { afterAll, beforeAll, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { madeCertificate, signClientRequest } from "../../sys/net/made-certificate.ts"
import { testApis, type TestApi } from "./api.suite.ts"

const directory = tempDirectory("skiff-csr-")
const open = testApis(undefined, { signClient: (request, options) => signClientRequest(directory, request, options) })
const PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
const SIGNER = "kubernetes.io/kube-apiserver-client"
beforeAll(async () => void (await madeCertificate(directory, { authority: "kubernetes" })))
let key = ""
beforeAll(() => {
  key = `${directory}/jane.key`
  spawnSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key])
})
afterAll(() => {})

/** PKCS #10 in base64, as objects have it. */
function requestFor(subject: string): string {
  const { stdout } = spawnSync("openssl", ["req", "-new", "-key", key, "-subj", subject])
  return stdout.toString("base64")
}

const body = (subject: string, spec: object = {}): object => ({
  apiVersion: "certificates.k8s.io/v1",
  kind: "CertificateSigningRequest",
  metadata: { name: "jane" },
  spec: { request: requestFor(subject), signerName: SIGNER, usages: ["client auth"], ...spec },
})

const judge = ({ ask }: TestApi, type: string, more: object = {}): ReturnType<TestApi["ask"]> =>
  ask("PATCH", `${PATH}/jane/approval`, {
    contentType: "application/merge-patch+json",
    body: { status: { conditions: [{ type, status: "True", reason: "a", message: "b" }] } },
    ...more,
  })

const JANE = { name: "jane", groups: ["system:authenticated"] }
const may = async ({ objects }: TestApi, rules: object[]): Promise<void> => {
  objects.create("clusterroles.rbac.authorization.k8s.io", { metadata: { name: "r" }, rules } as never)
  objects.create("clusterrolebindings.rbac.authorization.k8s.io", {
    metadata: { name: "r" },
    subjects: [{ kind: "User", name: "jane" }],
    roleRef: { kind: "ClusterRole", name: "r" },
  } as never)
}
const CSRS = {
  apiGroups: ["certificates.k8s.io"],
  resources: ["certificatesigningrequests", "certificatesigningrequests/approval", "certificatesigningrequests/status"],
  verbs: ["*"],
}

test("what is approved is signed by our authority for as long as was asked, with the name that was asked for", async () => {
  const it = open()
  const asked = body("/O=developers/CN=jane", { username: "somebody-else", expirationSeconds: 5 * 86_400 })
  const made = await it.ask("POST", PATH, { body: asked })
  // who asks is the server's to say
  expect(made).toMatchObject({ status: 201, body: { spec: { username: "kubernetes-admin" } } })
  const { body: judged } = await judge(it, "Approved")
  expect(judged).toMatchObject({ status: { conditions: [{ type: "Approved", lastUpdateTime: expect.any(String) }] } })
  const { certificate } = (judged as { status: { certificate: string } }).status
  const found = new X509Certificate(Buffer.from(certificate, "base64"))
  expect(found.subject).toBe("O=developers\nCN=jane")
  expect(found.issuer).toContain("CN=kubernetes")
  expect(Math.round((Date.parse(found.validTo) - Date.now()) / 86_400_000)).toBe(5)
  expect(found.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"])
})

test("what is denied is not signed, and neither is taken back", async () => {
  const it = open()
  await it.ask("POST", PATH, { body: body("/CN=jane") })
  expect((await judge(it, "Denied")).body).not.toHaveProperty("status.certificate")
  expect((await judge(it, "Approved")).status).toBe(422)
  const status = { status: { conditions: [] } }
  const merge = { contentType: "application/merge-patch+json", body: status }
  expect((await it.ask("PATCH", `${PATH}/jane/status`, merge)).status).toBe(422)
})

test("another signer's requests are kept and not signed", async () => {
  const it = open()
  await it.ask("POST", PATH, { body: body("/CN=jane", { signerName: "example.org/mine" }) })
  expect((await judge(it, "Approved")).body).not.toHaveProperty("status.certificate")
})

test("nobody becomes a master by a certificate", async () => {
  for (const subject of ["/O=system:masters/CN=jane", "/O=a/O=system:masters/CN=jane"])
    expect((await open().ask("POST", PATH, { body: body(subject) })).status).toBe(403)
})

test("who may change approvals approves nothing without the right to a signer", async () => {
  const it = open()
  await may(it, [CSRS])
  expect((await it.ask("POST", PATH, { body: body("/CN=jane"), user: JANE })).status).toBe(201)
  expect((await judge(it, "Approved", { user: JANE })).status).toBe(403)
  const certificate = Buffer.from("-----BEGIN CERTIFICATE-----").toString("base64")
  const merge = { contentType: "application/merge-patch+json", body: { status: { certificate } }, user: JANE }
  expect((await it.ask("PATCH", `${PATH}/jane/status`, merge)).status).toBe(403)
})

test("what was asked for cannot be changed between the look and the approval", async () => {
  const it = open()
  await it.ask("POST", PATH, { body: body("/CN=jane") })
  const merge = { contentType: "application/merge-patch+json", body: { spec: { request: requestFor("/CN=root") } } }
  expect((await it.ask("PATCH", `${PATH}/jane`, merge)).status).toBe(422)
  const apply = { contentType: "application/apply-patch+yaml", body: body("/CN=root") }
  expect((await it.ask("PATCH", `${PATH}/jane?fieldManager=me&force=true`, apply)).status).toBe(422)
})

test.each([
  [{ request: Buffer.from("nothing").toString("base64") }, "PEM block type must be CERTIFICATE REQUEST"],
  [
    {
      request: Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----").toString(
        "base64",
      ),
    },
    "no certificate request that can be read",
  ],
  [{ request: "A".repeat(400_000) }, "PEM block type"],
  [{ usages: ["server auth"] }, "signs for"],
  [{ signerName: "x" }, "fully qualified domain"],
  [{ expirationSeconds: 10 }, "less than 600 seconds"],
])("a request with %# is refused", async (spec, message) => {
  const answer = await open().ask("POST", PATH, { body: body("/CN=jane", spec) })
  expect(answer).toMatchObject({ status: 422, body: { message: expect.stringContaining(message) } })
})

test("policies in CEL are kept, and it is told that they are not enforced", async () => {
  const answer = await open().ask("POST", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", {
    body: { metadata: { name: "a" }, spec: { validations: [{ expression: "true" }] } },
  })
  expect(answer).toMatchObject({ status: 201, warnings: [expect.stringContaining("not enforced")] })
})
