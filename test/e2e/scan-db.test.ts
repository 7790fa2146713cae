/**
 * `scan db`: the vulnerability database is imported, pushed, pulled by another store, and asked; ours and Trivy's.
 *
 * One user is enough.
 */
import { expect, test } from "bun:test"
import { chownSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { boltFile } from "../support/bolt-writer.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"
import { tar } from "../support/tar.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const registry = await sharedRegistry()

/** A file of the user's, below a directory that is made. */
function file(name: string, content: string | Uint8Array): string {
  const parts = name.split("/")
  for (let depth = 1; depth < parts.length; depth++) {
    const directory = join(skiff.home, ...parts.slice(0, depth))
    mkdirSync(directory, { recursive: true })
    chownSync(directory, user.uid, user.gid)
  }
  const path = join(skiff.home, name)
  writeFileSync(path, content)
  chownSync(path, user.uid, user.gid)
  return path
}

const TRIVY = boltFile({
  "data-source": { "debian 12": JSON.stringify({ ID: "debian", Name: "Debian", URL: "https://debian.org" }) },
  "debian 12": { glibc: { "CVE-2024-1": JSON.stringify({ FixedVersion: "2.36-9+deb12u4" }) } },
  vulnerability: { "CVE-2024-1": JSON.stringify({ Title: "one", VendorSeverity: { nvd: 3 } }) },
})
const METADATA = JSON.stringify({ Version: 2, UpdatedAt: "2026-11-10T00:00:00Z" })

function subject(): string {
  file("root/etc/os-release", 'ID=debian\nVERSION_ID="12"\n')
  file("root/var/lib/dpkg/status", "Package: libc6\nStatus: install ok installed\nSource: glibc\nVersion: 2.36-9\n\n")
  return join(skiff.home, "root")
}
const scanned = async (...words: string[]) => {
  const report = JSON.parse(
    await skiff.ok("scan", "--scanners", "vuln", "--format", "json", "-q", ...words, "--dir", subject()),
  ) as {
    Results: { Vulnerabilities?: { VulnerabilityID: string; Severity: string; FixedVersion: string }[] }[]
  }
  return report.Results.flatMap(({ Vulnerabilities = [] }) => Vulnerabilities).map(
    ({ VulnerabilityID, Severity, FixedVersion }) => `${VulnerabilityID} ${Severity} ${FixedVersion}`,
  )
}

test("a database is built, pushed, pulled, imported and asked; without one nothing is called safe", async () => {
  const before = await skiff.run(["scan", "--scanners", "vuln", "--dir", subject()])
  expect([before.code, before.stderr]).toEqual([1, expect.stringContaining("there is no vulnerability database")])

  expect(await skiff.ok("scan", "db")).toContain("build    Build one from the feeds")
  expect((await skiff.run(["scan", "db", "inf"])).stderr).toContain("did you mean skiff scan db info?")

  file(
    "feeds/debian/tracker.json",
    JSON.stringify({
      glibc: {
        "CVE-2023-4911": {
          releases: { bookworm: { status: "resolved", fixed_version: "2.36-9+deb12u3", urgency: "high" } },
        },
      },
    }),
  )
  expect(await skiff.ok("scan", "db", "build", "-q", "--from", join(skiff.home, "feeds"))).toContain("Advisories: 1")
  expect(await scanned()).toEqual(["CVE-2023-4911 HIGH 2.36-9+deb12u3"])

  const name = `${registry.host}/scan/db:1`
  await skiff.ok("scan", "db", "push", "--tls-verify=false", "-q", name)
  const trivy = file("trivy/trivy.db", TRIVY)
  file("trivy/metadata.json", METADATA)
  await skiff.ok("scan", "db", "import", join(trivy, ".."))
  expect(await scanned()).toEqual(["CVE-2024-1 HIGH 2.36-9+deb12u4"])
  expect(await skiff.ok("scan", "db", "pull", "--tls-verify=false", name)).toContain("Database: skiff-db")
  expect(await scanned()).toEqual(["CVE-2023-4911 HIGH 2.36-9+deb12u3"])

  // as Trivy packs it
  const packed = file(
    "db.tar.gz",
    gzipSync(
      tar([
        { name: "trivy.db", content: TRIVY },
        { name: "metadata.json", content: METADATA },
      ]),
    ),
  )
  expect(await skiff.ok("scan", "db", "import", packed)).toContain("2026-11-10T00:00:00Z")
  expect(await scanned("--ignore-unfixed")).toEqual(["CVE-2024-1 HIGH 2.36-9+deb12u4"])
  expect(await scanned("--ignorefile", file("ignore", "CVE-2024-1\n"))).toEqual([])
  expect((await skiff.run(["scan", "--scanners", "vuln", "--fail-on", "high", "--dir", subject()])).code).toBe(1)
})
