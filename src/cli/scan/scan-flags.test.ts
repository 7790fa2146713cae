import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { parseFlags } from "../parse-flags.ts"
import { refuseFlags } from "./trivy-flags.ts"
import { withTrivyConfig } from "./trivy-config.ts"
import { SCAN_FLAGS, scanOptions, type ScanFlags } from "./scan-flags.ts"

test("a line of a Trivy pipeline is understood, with the flags that have nothing to change here", () => {
  const line =
    "--no-progress --cache-dir /c --db-repository ghcr.io/a,b:2 --java-db-repository c --skip-db-update --skip-java-db-update " +
    "--slow --report summary --policy-bundle-repository x --disable-telemetry --skip-version-check --parallel 5 -d --security-checks vuln,config --vuln-type os,library " +
    "--severity HIGH,CRITICAL --ignore-unfixed --list-all-pkgs --dependency-tree --skip-dirs a,b --skip-dirs c a.tar"
  const { values, words } = parseFlags(SCAN_FLAGS, line.split(" "), true)
  expect(words).toEqual(["a.tar"])
  expect(scanOptions(values as unknown as ScanFlags, [])).toMatchObject({
    scanners: ["vuln", "misconfig"],
    severities: ["high", "critical"],
    packageKinds: ["os", "library"],
    skipDirectories: ["a", "b", "c"],
    database: "/c/db",
    ignoreUnfixed: true,
    isOffline: true,
    withPackageLayers: true,
  })
})

function given(...argv: string[]): () => void {
  return () => refuseFlags(parseFlags(SCAN_FLAGS, argv, true).values)
}

function options(...argv: string[]) {
  return scanOptions(parseFlags(SCAN_FLAGS, argv, true).values as unknown as ScanFlags, [])
}

test("a flag of Trivy's that nothing here does is refused with the reason, with and without a value", () => {
  expect(given("--ignore-policy", "a.rego")).toThrow("--ignore-policy of Trivy's is refused: policies in Rego")
  expect(given("--removed-pkgs")).toThrow("--removed-pkgs of Trivy's is refused")
  expect(given("--slow", "--removed-pkgs=false")).not.toThrow()
})

test("where an image may come from, and how its registry is reached", () => {
  expect(options("--image-src", "docker,podman").imageSource).toBe("store")
  expect(options("--image-src", "remote").imageSource).toBe("registry")
  expect(options("--image-src", "docker,remote").imageSource).toBeUndefined()
  expect(options("--username", "a", "--password", "b", "--insecure").registry).toMatchObject({
    credentials: { username: "a", password: "b" },
    tlsVerify: false,
  })
})

/** Of `trivy image|fs|rootfs|sbom|config --help`, version 0.45. */
test("every flag of Trivy's is taken, or refused with its reason", () => {
  const names =
    "cache-backend cache-dir cache-ttl clear-cache compliance config config-data config-policy custom-headers db-repository debug " +
    "dependency-tree docker-host download-db-only download-java-db-only enable-modules exit-code exit-on-eol file-patterns format " +
    "generate-default-config helm-set helm-set-file helm-set-string helm-values ignore-policy ignore-status ignore-unfixed " +
    "ignored-licenses ignorefile image-config-scanners image-src include-dev-deps include-non-failures input insecure " +
    "java-db-repository license-confidence-level license-full list-all-pkgs module-dir no-progress offline-scan output password " +
    "platform policy-bundle-repository policy-namespaces quiet redis-ca redis-cert redis-key redis-tls registry-token rekor-url " +
    "removed-pkgs report reset reset-policy-bundle sbom-sources scanners secret-config server severity skip-db-update skip-dirs " +
    "skip-files skip-java-db-update skip-policy-update slow template tf-exclude-downloaded-modules tf-vars timeout token " +
    "token-header trace username vex vuln-type"
  const known = new Set(Object.values(SCAN_FLAGS).flatMap(({ aliases = [] }) => aliases))
  for (const name of Object.keys(SCAN_FLAGS))
    known.add(name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`))
  expect(names.split(" ").filter((name) => !known.has(name))).toEqual([])
})

test("what trivy.yaml says counts where the line says nothing; what nothing here does is named", () => {
  const file = join(tempDirectory("skiff-trivy-"), "trivy.yaml")
  const read = (text: string, ...argv: string[]) => {
    writeFileSync(file, text)
    const warnings: string[] = []
    const flags = parseFlags(SCAN_FLAGS, argv, true).values as unknown as ScanFlags
    return { flags: withTrivyConfig(flags, file, (what) => warnings.push(what)), warnings }
  }
  const text = `format: json
exit-code: 3
timeout: 10m
severity: [HIGH, CRITICAL]
scan:
  scanners: [vuln, misconfig]
  skip-dirs: [a, b]
vulnerability:
  ignore-unfixed: true
db:
  no-progress: true
rego:
  policy: []
`
  const { flags } = read(text, "--severity", "LOW")
  expect(flags).toMatchObject({ format: "json", exitCode: 3, timeout: 600_000, severity: "LOW", ignoreUnfixed: true })
  expect(scanOptions(flags, [])).toMatchObject({
    scanners: ["vuln", "misconfig"],
    severities: ["low"],
    skipDirectories: ["a", "b"],
  })
  expect(() => read("format: nonsense\n")).toThrow("format")
  expect(() => read("exit-code: many\n")).toThrow("exit-code")
  expect(() => read("rego:\n  policy: [a.rego]\n")).toThrow("rego.policy")
  expect(() => read("- a\n")).toThrow("has no keys")
})

test("trivy.yaml of the working directory says neither what is written where nor whom data come from", () => {
  const [directory, before] = [tempDirectory("skiff-trivy-here-"), process.cwd()]
  const text = `format: json
output: /home/me/.bashrc
insecure: true
cache:
  dir: /home/me
db:
  repository: registry.example/db
`
  writeFileSync(join(directory, "trivy.yaml"), text)
  const flags = parseFlags(SCAN_FLAGS, [], true).values as unknown as ScanFlags
  const warnings: string[] = []
  process.chdir(directory)
  try {
    const read = withTrivyConfig(flags, undefined, (what) => warnings.push(what))
    expect(read).toEqual({ ...flags, format: "json" })
    expect(warnings).toEqual([expect.stringMatching(/--config may: output, insecure, cache\.dir, db\.repository$/)])
    expect(withTrivyConfig(flags, "trivy.yaml", () => {})).toMatchObject({ output: "/home/me/.bashrc", insecure: true })
  } finally {
    process.chdir(before)
  }
})
