/** `scan --vex oci`: VEX that is attached to an image at its registry, by the list of referrers and as cosign attests. One user is enough. */
import { afterAll, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { chownSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { boltFile } from "../support/bolt-writer.ts"
import { buildImage } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"
import { user } from "../support/user.ts"

const registry = await sharedRegistry()
const skiff = new Skiff()
afterAll(() => skiff.close(), 60_000)
const REPOSITORY = "scan/vexed"
const STATUS = "Package: libc6\nStatus: install ok installed\nSource: glibc\nArchitecture: amd64\nVersion: 2.36-9\n"
const { reference, descriptor: subject } = registry.pushBuilt(
  `${REPOSITORY}:1`,
  buildImage({
    layers: [
      {
        entries: [
          { name: "etc/os-release", content: "ID=debian\nVERSION_ID=12\n" },
          { name: "var/lib/dpkg/status", content: STATUS },
        ],
      },
    ],
  }),
)
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
const OCI_INDEX = "application/vnd.oci.image.index.v1+json"

async function put(bytes: string, mediaType: string) {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`
  const begun = await fetch(`http://${registry.host}/v2/${REPOSITORY}/blobs/uploads/`, { method: "POST" })
  const url = new URL(begun.headers.get("location") ?? "", `http://${registry.host}`)
  url.searchParams.set("digest", digest)
  expect((await fetch(url, { method: "PUT", body: bytes })).status).toBe(201)
  return { mediaType, digest, size: Buffer.byteLength(bytes) }
}

async function putManifest(reference_: string | undefined, document: object, mediaType: string) {
  const bytes = JSON.stringify(document)
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`
  const url = `http://${registry.host}/v2/${REPOSITORY}/manifests/${reference_ ?? digest}`
  const { status } = await fetch(url, { method: "PUT", body: bytes, headers: { "content-type": mediaType } })
  expect(status).toBe(201)
  return { mediaType, digest, size: Buffer.byteLength(bytes) }
}

const openVex = (id: string) => ({
  "@context": "https://openvex.dev/ns/v0.2.0",
  statements: [
    {
      vulnerability: { name: id },
      products: [{ "@id": "pkg:oci/vexed", subcomponents: [{ "@id": "pkg:deb/debian/libc6" }] }],
      status: "not_affected",
      justification: "vulnerable_code_not_in_execute_path",
    },
  ],
})

const found = async (...flags: string[]) => {
  const text = await skiff.ok("scan", "image", "--scanners", "vuln", "--format", "json", "-q", ...flags, reference)
  const { Results } = JSON.parse(text) as { Results: { Vulnerabilities?: { VulnerabilityID: string }[] }[] }
  return Results.flatMap(({ Vulnerabilities = [] }) => Vulnerabilities).map(({ VulnerabilityID }) => VulnerabilityID)
}

test("what an image's referrers and cosign's attestation say does not count, where that is asked for", async () => {
  const ids = ["CVE-2024-1", "CVE-2024-2", "CVE-2024-3"]
  const path = join(skiff.home, "trivy.db")
  writeFileSync(
    path,
    boltFile({
      "debian 12": { glibc: Object.fromEntries(ids.map((id) => [id, "{}"])) },
      vulnerability: Object.fromEntries(ids.map((id) => [id, "{}"])),
    }),
  )
  chownSync(path, user.uid, user.gid)
  await skiff.ok("scan", "db", "import", path)
  const config = await put("{}", "application/vnd.oci.empty.v1+json")
  const common = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, subject }

  const document = await put(JSON.stringify(openVex("CVE-2024-1")), "application/vnd.openvex+json")
  const artifactType = "application/vnd.openvex+json"
  const attached = await putManifest(undefined, { ...common, artifactType, layers: [document] }, OCI_MANIFEST)
  const list = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...attached, artifactType }] }
  await putManifest(subject.digest.replace(":", "-"), list, OCI_INDEX)

  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    predicateType: "https://openvex.dev/ns/v0.2.0",
    predicate: openVex("CVE-2024-2"),
  }
  const envelope = {
    payloadType: "application/vnd.in-toto+json",
    payload: Buffer.from(JSON.stringify(statement)).toString("base64"),
    signatures: [],
  }
  const signed = await put(JSON.stringify(envelope), "application/vnd.dsse.envelope.v1+json")
  await putManifest(`${subject.digest.replace(":", "-")}.att`, { ...common, layers: [signed] }, OCI_MANIFEST)

  expect((await found()).toSorted()).toEqual(ids)
  expect(await found("--vex", "oci")).toEqual(["CVE-2024-3"])
  // offline nobody is asked
  await skiff.ok("pull", "-q", reference)
  expect((await found("--vex", "oci", "--offline-scan")).toSorted()).toEqual(ids)
  expect(await found("--vex", "oci")).toEqual(["CVE-2024-3"])
  const { stdout: told } = await skiff.run(["scan", "image", "--scanners", "vuln", "--vex", "oci", reference])
  expect(told).toContain("no signature of them is verified")
  expect(
    await skiff.ok("scan", "image", "--scanners", "vuln", "--vex", "oci", "--show-suppressed", "-q", reference),
  ).toContain("vulnerable_code_not_in_execute_path")
}, 120_000)
