/**
 * `npm run bench:scan`: scans beside Trivy's, whole processes in turn. SKIFF_TRIVY names its executable; without it only ours is measured.
 * Both ask one database of Trivy's form, made here, of one image of a Debian's shape, and have to find the same number.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createHash } from "node:crypto"
import { parseArgs } from "node:util"
import { boltFile, type BoltTree } from "../test/support/bolt-writer.ts"
import { tar, type TarEntry } from "../test/support/tar.ts"

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    /** Only makes what is scanned: in a process of its own, as a child's memory is counted from its parent's on. */
    make: { type: "string" },
  },
})
const PACKAGES = 100
const FILES_EACH = 100
const CVES_EACH = 5
const OTHER_PACKAGES = 8_000

const directory = flags.make ?? mkdtempSync("/var/tmp/skiff-bench-scan-")
const skiff = process.env.SKIFF_BIN ?? "dist/skiff"
const trivy = process.env.SKIFF_TRIVY
const env = {
  ...process.env,
  SKIFF_ROOT: join(directory, "root"),
  SKIFF_RUN_ROOT: join(directory, "run"),
  TMPDIR: directory,
}

interface Figures {
  wallMs: number
  cpuMs: number
  peakMiB: number
}

async function once(argv: readonly string[]): Promise<Figures> {
  const before = performance.now()
  const child = Bun.spawn([...argv], { env, cwd: directory, stdin: "ignore", stdout: "ignore", stderr: "pipe" })
  const [code, errors] = await Promise.all([child.exited, new Response(child.stderr).text()])
  const wallMs = performance.now() - before
  if (code !== 0) throw new Error(`${argv.join(" ")} gave ${code}: ${errors}`)
  const usage = child.resourceUsage()
  if (usage === undefined) throw new Error("nothing is known of what it used")
  return { wallMs, cpuMs: Number(usage.cpuTime.total) / 1_000, peakMiB: usage.maxRSS / 2 ** 20 }
}

function medianOf(all: readonly Figures[]): Figures {
  const of = (key: keyof Figures) => all.map((one) => one[key]).toSorted((a, b) => a - b)[all.length >> 1] ?? NaN
  return { wallMs: of("wallMs"), cpuMs: of("cpuMs"), peakMiB: of("peakMiB") }
}

/** A Debian's files: what dpkg knows, and programs, libraries and texts of each package. */
function layer(): Uint8Array {
  const names = Array.from({ length: PACKAGES }, (_, index) => `package-${index}`)
  const status = names.map(
    (name) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n`,
  )
  const entries: TarEntry[] = [
    { name: "etc/os-release", content: "ID=debian\nVERSION_ID=12\nPRETTY_NAME=Debian\n" },
    { name: "etc/debian_version", content: "12.1\n" },
    { name: "var/lib/dpkg/status", content: status.join("\n") },
  ]
  const program = readFileSync("/bin/true")
  const text = "what a file of documentation says, line by line, is read where secrets are looked for\n"
  for (const [index, name] of names.entries())
    for (let file = 0; file < FILES_EACH; file++)
      entries.push(
        file % 10 === 0
          ? { name: `usr/bin/${name}-${file}`, content: program, mode: 0o755 }
          : { name: `usr/lib/${name}/${file}.txt`, content: text.repeat(1 + ((index * file) % 300)) },
      )
  return tar(entries)
}

/** As `docker save` writes it. */
function writeArchive(path: string): void {
  const bytes = layer()
  const diffId = createHash("sha256").update(bytes).digest("hex")
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [`sha256:${diffId}`] },
    history: [{ created_by: "made for the bench" }],
  })
  const id = createHash("sha256").update(config).digest("hex")
  const manifest = [{ Config: `${id}.json`, RepoTags: ["bench/debian:12"], Layers: [`${diffId}.tar`] }]
  writeFileSync(
    path,
    tar([
      { name: `${diffId}.tar`, content: bytes },
      { name: `${id}.json`, content: config },
      { name: "manifest.json", content: JSON.stringify(manifest) },
    ]),
  )
}

function writeDatabase(cache: string): void {
  let count = 0
  const vulnerability: BoltTree = {}
  const cve = () => {
    const id = `CVE-${2010 + (count % 16)}-${10_000 + count++}`
    vulnerability[id] = JSON.stringify({
      Title: `a hole, ${id}`,
      Description: "What is wrong in some hundred words that nobody reads. ".repeat(10),
      Severity: ["LOW", "MEDIUM", "HIGH", "CRITICAL"][count % 4],
      VendorSeverity: { nvd: 3, debian: 1 },
      CVSS: { nvd: { V3Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", V3Score: 7.5 } },
      References: Array.from({ length: 6 }, (_, index) => `https://example.org/${id}/${index}`),
    })
    return id
  }
  const holes = (fixed: string, many: number) =>
    Object.fromEntries(Array.from({ length: many }, () => [cve(), JSON.stringify({ FixedVersion: fixed })]))
  const debian: BoltTree = {}
  for (let index = 0; index < PACKAGES; index++) debian[`package-${index}`] = holes("2.0-1", CVES_EACH)
  for (let index = 0; index < OTHER_PACKAGES; index++) debian[`other-${index}`] = holes("1.0-1", 3)
  const source = { ID: "debian", Name: "Debian Security Tracker", URL: "https://security-tracker.debian.org" }
  mkdirSync(join(cache, "db"), { recursive: true })
  const tree = { "debian 12": debian, vulnerability, "data-source": { "debian 12": JSON.stringify(source) } }
  writeFileSync(join(cache, "db/trivy.db"), boltFile(tree))
  const now = new Date().toISOString()
  const metadata = { Version: 2, NextUpdate: "2999-01-01T00:00:00Z", UpdatedAt: now, DownloadedAt: now }
  writeFileSync(join(cache, "db/metadata.json"), JSON.stringify(metadata))
}

interface Row {
  name: string
  ours: readonly string[]
  theirs?: readonly string[]
  before?: () => void
}

const [archive, cache, out, sbom] = ["image.tar", "cache", "out.json", "sbom.json"].map((name) =>
  join(directory, name),
) as [string, string, string, string]
const ours = (...words: string[]) => [
  join(process.cwd(), skiff),
  "scan",
  "-q",
  "--db",
  join(cache, "db"),
  "--format",
  "json",
  "-o",
  out,
  ...words,
]
const theirs = (kind: string, ...words: string[]) => [
  trivy ?? "",
  kind,
  "--quiet",
  "--cache-dir",
  cache,
  "--skip-db-update",
  "--offline-scan",
  "--format",
  "json",
  "--output",
  out,
  ...words,
]

/** As if nobody had scanned it. */
function forget(): void {
  for (const path of new Bun.Glob("layers/*/packages").scanSync(env.SKIFF_ROOT)) rmSync(join(env.SKIFF_ROOT, path))
}

function rows(): Row[] {
  const input = (scanners: string) => ({
    ours: ours("--scanners", scanners, "--input", archive),
    theirs: theirs("image", "--scanners", scanners, "--input", archive),
  })
  return [
    { name: "image of the store, again", ours: ours("--scanners", "vuln", "bench/debian:12") },
    {
      name: "image of the store, for the first time",
      ours: ours("--scanners", "vuln", "bench/debian:12"),
      before: forget,
    },
    { name: "archive, vulnerabilities", ...input("vuln") },
    { name: "archive, vulnerabilities and secrets", ...input("vuln,secret") },
    { name: "SBOM", ours: ours("--scanners", "vuln", sbom) },
  ]
}

function found(): number {
  const { Results: results } = JSON.parse(readFileSync(out, "utf8")) as {
    Results: { Vulnerabilities?: readonly unknown[] }[]
  }
  return results.reduce((sum, { Vulnerabilities: each = [] }) => sum + each.length, 0)
}

async function measured({ name, ours: own, theirs: other, before }: Row): Promise<string> {
  const [mine, its]: [Figures[], Figures[]] = [[], []]
  for (let round = -1; round < Number(flags.rounds); round++) {
    before?.()
    const one = await once(own)
    if (found() !== PACKAGES * CVES_EACH) throw new Error(`${name}: skiff found ${found()}`)
    if (round >= 0) mine.push(one)
    if (trivy === undefined || other === undefined) continue
    const two = await once(other)
    if (found() !== PACKAGES * CVES_EACH) throw new Error(`${name}: Trivy found ${found()}`)
    if (round >= 0) its.push(two)
  }
  const [a, b] = [medianOf(mine), medianOf(its)]
  const cell = ({ wallMs, cpuMs, peakMiB }: Figures) =>
    Number.isNaN(wallMs) ? "–" : `${wallMs.toFixed(0)} ms, ${cpuMs.toFixed(0)} ms, ${peakMiB.toFixed(0)} MiB`
  const ratio = (key: keyof Figures) => (its.length === 0 ? "–" : `${(a[key] / b[key]).toFixed(2)} ×`)
  return `| ${[name, cell(a), cell(b), ratio("wallMs"), ratio("cpuMs"), ratio("peakMiB")].join(" | ")} |`
}

if (flags.make !== undefined) {
  writeArchive(archive)
  writeDatabase(cache)
} else
  try {
    await once([process.execPath, import.meta.path, "--make", directory])
    await once([join(process.cwd(), skiff), "load", "-q", "-i", archive])
    await once([join(process.cwd(), skiff), "scan", "--format", "cyclonedx", "-o", sbom, "bench/debian:12"])
    console.log(
      `${PACKAGES} packages, ${PACKAGES * FILES_EACH} files; wall time, processor time, memory; medians of ${flags.rounds}\n`,
    )
    console.log("| scan | skiff | trivy | wall | processor | memory |\n| --- | --- | --- | --- | --- | --- |")
    for (const row of rows()) console.log(await measured(row))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
