import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Image } from "../../image/image.ts"
import type { ScanDeps } from "../deps.ts"
import { openScans } from "../open.ts"
import type { OpenSubject } from "../subject/open-subject.ts"
import { OWN_SCHEMA } from "../vulnerability/own/own-database.ts"
import { directorySubject } from "../subject/directory-subject.ts"
import { openPolicy } from "./open-policy.ts"

const here = process.cwd()
const settings = process.env.SKIFF_CONFIG
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "skiff-policy-"))
})
afterEach(() => {
  process.chdir(here)
  if (settings === undefined) delete process.env.SKIFF_CONFIG
  else process.env.SKIFF_CONFIG = settings
  rmSync(root, { recursive: true, force: true })
})

/** Holds an image of these files against the rules. */
async function policyOn(files: string, rules: string): Promise<(id?: string, more?: Partial<Image>) => Promise<void>> {
  writeFileSync(join(root, "policy.toml"), rules)
  writeFileSync(join(root, "skiff.toml"), `[scan]\npolicy = "${join(root, "policy.toml")}"\n`)
  process.env.SKIFF_CONFIG = join(root, "skiff.toml")
  const deps = { root, containers: async () => ({ list: () => [] }) } as unknown as ScanDeps
  const scans = Object.assign(openScans(deps), {
    open: async (_: unknown, options: Parameters<typeof directorySubject>[2]) => {
      const subject = directorySubject(files, "files", options)
      return Object.assign(subject, { [Symbol.asyncDispose]: async () => subject[Symbol.dispose]() }) as OpenSubject
    },
  })
  const policy = await openPolicy({ root, scans: async () => scans, isBuiltHere: async (id) => id === "sha256:built" })
  return async (id = "sha256:1", more: Partial<Image> = {}) =>
    await policy?.admit({
      id,
      tags: ["localhost/a:1"],
      repoDigests: [],
      manifest: { digest: "sha256:m" },
      ...more,
    } as unknown as Image)
}

test("files of the working directory do not tell a policy what not to see", async () => {
  const files = join(root, "files")
  mkdirSync(files)
  // made here, so that no scanner of this repository takes it for one
  writeFileSync(join(files, "settings"), `token = "${["ghp", "_", "aB3".repeat(12)].join("")}"\n`)
  const admit = await policyOn(files, '[[rule]]\nname = "no secrets"\ndeny = ["github-pat"]\n')
  const project = join(root, "project")
  mkdirSync(project)
  writeFileSync(join(project, ".trivyignore"), "github-pat\n")
  writeFileSync(join(project, "trivy-secret.yaml"), "disable-rules: [github-pat]\n")
  process.chdir(project)
  await expect(admit()).rejects.toThrow('rule "no secrets": github-pat')
})

test("packages that hide others by their number are no way past a rule on vulnerabilities", async () => {
  const files = join(root, "files")
  mkdirSync(join(files, "var/lib/dpkg"), { recursive: true })
  mkdirSync(join(root, "scan"))
  using database = new DatabaseSync(join(root, "scan/vulnerability.db"))
  database.exec(`${OWN_SCHEMA}; INSERT INTO meta VALUES ('version', '1')`)
  const list = (count: number) => {
    const padding = Array.from({ length: count }, (_, at) => `Package: p${at}\nVersion: 1\n`).join("\n")
    writeFileSync(join(files, "var/lib/dpkg/status"), `${padding}\nPackage: openssl\nVersion: 1.0.1\n`)
  }
  const admit = await policyOn(files, '[[rule]]\nname = "no holes"\nseverity = "critical"\nkinds = ["vuln"]\n')
  list(10)
  await admit()
  list(100_000)
  // of another image: what was seen in one is kept
  await expect(admit("sha256:2")).rejects.toThrow('rule "no holes": not looked at: all but the first 100000 packages')
  await expect(admit("sha256:2")).rejects.toThrow("not looked at")
}, 30_000)

test("what was seen is looked at again when there are other data", async () => {
  const files = join(root, "files")
  mkdirSync(join(files, "var/lib/dpkg"), { recursive: true })
  mkdirSync(join(files, "etc"))
  mkdirSync(join(root, "scan"))
  writeFileSync(join(files, "etc/os-release"), "ID=debian\nVERSION_ID=12\n")
  writeFileSync(join(files, "var/lib/dpkg/status"), "Package: a\nStatus: install ok installed\nVersion: 1\n")
  const holes = (advisories: string) => {
    const aside = join(root, "scan/new")
    using database = new DatabaseSync(aside)
    database.exec(`${OWN_SCHEMA}; INSERT INTO meta VALUES ('version', '1'); ${advisories}`)
    renameSync(aside, join(root, "scan/vulnerability.db"))
  }
  holes("")
  const admit = await policyOn(files, '[[rule]]\nname = "no holes"\ndeny = ["CVE-2026-1"]\n')
  await expect(admit()).resolves.toBeUndefined()
  holes(`INSERT INTO source VALUES (1, 'debian 12', '{"id":"debian","name":"Debian","url":""}');
    INSERT INTO advisory VALUES (1, 'a', 'CVE-2026-1', '', '{"fixedVersion":"2"}')`)
  await expect(admit()).rejects.toThrow('rule "no holes": CVE-2026-1')
})

const exceptFrom = (except: string) => `[[rule]]\nname = "secrets"\ndeny = ["github-pat"]\nexcept = ["${except}"]\n`

test("a name that an archive brought excepts from nothing; one of a registry, a build's or a digest does", async () => {
  const files = join(root, "files")
  mkdirSync(files)
  writeFileSync(join(files, "settings"), `token = "${["ghp", "_", "aB3".repeat(12)].join("")}"\n`)
  const admit = await policyOn(files, exceptFrom("localhost/*"))
  await expect(admit()).rejects.toThrow('rule "secrets"')
  await admit("sha256:built")
  await admit("sha256:1", { repoDigests: ["localhost/a@sha256:f"] })
  await expect(admit("sha256:1", { repoDigests: ["localhost/b@sha256:f"] })).rejects.toThrow('rule "secrets"')
  await (
    await policyOn(files, exceptFrom("sha256:1"))
  )()
  await (
    await policyOn(files, exceptFrom("sha256:m"))
  )()
})
