import { expect, test } from "bun:test"
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ScanDeps } from "./deps.ts"
import type { ScanOptions } from "./scan.ts"
import { scanSubject } from "./scan-subject.ts"
import { directorySubject } from "./subject/directory-subject.ts"
import { tempDirectory } from "../../test/support/temp-directory.ts"

const options: ScanOptions = {
  scanners: ["misconfig"],
  packageKinds: [],
  skipDirectories: [],
  skipFiles: [],
  ignoreUnfixed: false,
  ignoreStatuses: [],
  vex: [],
  isOffline: true,
  withoutLocalFiles: true,
}
const depsOf = (root: string) => ({ root, containers: async () => ({ list: () => [] }) }) as unknown as ScanDeps

test("a rule that quotes a line does not tell the secret that is in it", async () => {
  const root = tempDirectory("skiff-scan-")
  // made here, so that no scanner of this repository takes it for one
  const token = ["ghp", "_", "aB3".repeat(12)].join("")
  writeFileSync(join(root, "Dockerfile"), `FROM a:1\nRUN TOKEN=${token} apt-get install curl\n`)
  using subject = directorySubject(root, root, options)
  const report = await scanSubject(depsOf(root), subject, options)
  expect(report.misconfigurations.map(({ message }) => message).join()).toContain("'-y' flag is missed: 'TOKEN=")
  expect(JSON.stringify(report)).not.toContain(token)
})

test("a pipe in the place of a file of secret rules is refused, not waited for", async () => {
  const root = tempDirectory("skiff-scan-")
  const secretConfig = join(root, "trivy-secret.yaml")
  execFileSync("mkfifo", [secretConfig])
  const asked: ScanOptions = { ...options, scanners: ["secret"], secretConfig }
  using subject = directorySubject(root, root, asked)
  await expect(scanSubject(depsOf(root), subject, asked)).rejects.toThrow("is no file of secret rules")
})
