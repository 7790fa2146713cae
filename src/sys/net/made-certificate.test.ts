import { expect, test } from "bun:test"
import { X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { findProgram } from "../host.ts"
import { clientCertificate, madeCertificate } from "./made-certificate.ts"

const directory = join(tempDirectory("skiff-certificate-"), "tls")

test.skipIf(findProgram("openssl") === undefined)(
  "a certificate that lacks a name is signed anew by the same authority; whoever it is a client's for is in its subject",
  async () => {
    expect(clientCertificate(directory, { name: "x", groups: [], days: 1 })).rejects.toMatchObject({ code: "NotFound" })
    const one = await madeCertificate(directory, { authority: "kubernetes" })
    const authority = readFileSync(one.authority, "utf8")
    const other = await madeCertificate(directory, { more: ["DNS:kubernetes.default.svc", "IP:10.96.0.1"] })
    const certificate = new X509Certificate(other.cert)
    expect([certificate.checkIP("10.96.0.1"), certificate.checkHost("kubernetes.default.svc")]).toEqual([
      "10.96.0.1",
      "kubernetes.default.svc",
    ])
    expect(readFileSync(other.authority, "utf8")).toBe(authority)
    expect(certificate.verify(new X509Certificate(authority).publicKey)).toBe(true)
    expect((await madeCertificate(directory, { more: ["IP:10.96.0.1"] })).cert).toBe(other.cert)
    const client = await clientCertificate(directory, { name: "a/O=evil+CN=b", groups: ["g:1", "g 2"], days: 1 })
    const subject = new X509Certificate(client.cert).subject.split("\n")
    expect(subject).toEqual(["O=g:1", "O=g 2", String.raw`CN=a/O=evil\+CN=b`])
    expect(clientCertificate(directory, { name: "a\nb", groups: [], days: 1 })).rejects.toMatchObject({
      code: "InvalidArgument",
    })
  },
)
