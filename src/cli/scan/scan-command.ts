import { InvalidArgument, isSkiffError } from "../../base/errors.ts"
import type { ScannerName, ScanOptions, ScanReport, Scans, ScanTarget, SubjectKind } from "../../scan/scan.ts"
import { AbortOnInterrupt } from "../abort-on-interrupt.ts"
import { arg } from "../args.ts"
import { command, type Command } from "../command.ts"
import { UsageError } from "../errors/usage-error.ts"
import type { Engine } from "../../engine/engine.ts"
import { registryAccess } from "../registry-flags.ts"
import type { Out } from "../out.ts"
import { defaultScanners } from "./default-scanners.ts"
import { isAsBad, SCAN_FLAGS, scanOptions, type ScanFlags } from "./scan-flags.ts"
import { refuseFlags } from "./trivy-flags.ts"
import { withDeadline } from "./with-deadline.ts"

/** The command that scans things of one kind. `any`: whatever has that name; `only`: what it looks for where nothing else is said. */
export function scanCommand(kind: SubjectKind | "any", summary: string, only?: readonly ScannerName[]): Command {
  return command({
    summary,
    ...(kind === "any"
      ? {
          description: `It asks a database that is kept here: 'skiff scan db --help' says how to get one.
Without it, '--scanners misconfig,secret,malware' looks for the rest.`,
          examples: [
            "skiff scan debian:12-slim",
            "skiff scan docker://registry.example.com/app:1",
            "skiff scan web db cache --severity critical --exit-code 1",
            "skiff scan --input image.tar --format sarif --output image.sarif",
            "skiff scan --dir . --severity high,critical --exit-code 1",
            "skiff scan --profile cis web",
          ],
        }
      : {}),
    args: [arg.rest(WORDS[kind], kind === "any" || kind === "image" ? "objects" : undefined)],
    flags: SCAN_FLAGS,
    async run({ args: [names], flags: given, engine, out, report }) {
      refuseFlags(given)
      const flags = await withConfig(given, out)
      if (flags.watch !== undefined)
        return await (await import("./watch-containers.ts")).watchContainers(engine, flags.watch, out)
      if (flags.downloadDbOnly) return await downloadDatabase(engine, flags, out)
      const targets = targetsOf(kind, names, flags)
      checkFormat(flags, targets)
      using interrupt = interruptOfFirstProcess()
      const signals = interrupt === undefined ? [] : [interrupt.signal]
      const signal =
        flags.timeout === undefined
          ? signals[0]
          : withDeadline(AbortSignal.any([...signals, AbortSignal.timeout(flags.timeout)]), flags.timeout)
      const run = { flags, engine, out, only, ...(signal === undefined ? {} : { signal }) }
      let code = 0
      for (const [at, target] of targets.entries()) {
        try {
          code = (await scanTarget(target, run, at > 0)) || code
        } catch (error) {
          // one that cannot be looked at keeps nobody from the others
          if (targets.length === 1 || signal?.aborted === true) throw error
          code = await report(error)
        }
      }
      return code
    },
  })
}

/** Its reader loads where there is such a file. */
async function withConfig(flags: ScanFlags, out: Out): Promise<ScanFlags> {
  const { existsSync } = await import("node:fs")
  if (flags.config === undefined && !existsSync("trivy.yaml")) return flags
  const { withTrivyConfig } = await import("./trivy-config.ts")
  return withTrivyConfig(flags, flags.config, (what) => out.warn(what))
}

interface Run {
  flags: ScanFlags
  engine: Engine
  out: Out
  only: readonly ScannerName[] | undefined
  signal?: AbortSignal
}

/** Gives the exit code. `isFurther`: a report was written before this one. */
async function scanTarget(
  target: ScanTarget,
  { flags, engine, out, only, signal }: Run,
  isFurther: boolean,
): Promise<number> {
  const profile = flags.profile ?? (flags.compliance === undefined ? undefined : "cis")
  const scans = await engine.scans()
  const options = scanOptions(flags, only ?? defaultScanners(target, { ...flags, profile }, scans.scanners), signal)
  await using subject = await scans.open(target, options)
  const report = await scans.scan(subject, options).catch((error: unknown) => {
    // a standard's other rules can be checked without the data: those on vulnerabilities are told as not checkable
    const isWithoutData = isSkiffError(error, "NotFound") && error.field === "database"
    if (profile === undefined || flags.scanners !== undefined || !isWithoutData) throw error
    if (!flags.quiet) out.warn(`${error.message}: its rules cannot be checked`)
    return scans.scan(subject, { ...options, scanners: options.scanners.filter((one) => one !== "vuln") })
  })
  const writing = { flags, out, isFurther }
  if (profile !== undefined) {
    const publisher = subject.image === undefined ? undefined : await scans.publisher(subject.image)
    const told = await scans.comply(profile, { report, publisher })
    const isDocument = flags.format === "json"
    const { complianceTable } = await import("./compliance-table.ts")
    await writeText(isDocument ? `${JSON.stringify(told, null, 2)}\n` : complianceTable(told), writing)
    return told.rules.some(({ status }) => status === "fail") ? (flags.exitCode ?? 0) : 0
  }
  const told = flags.diff === undefined ? report : await newSince(flags.diff, { scans, options, report }, flags, out)
  await writeReport(scans, told, writing)
  return exitCodeOf(told, flags)
}

/** As Trivy's `--download-db-only`: the database, and no scan. */
async function downloadDatabase(engine: Engine, flags: ScanFlags, out: Out): Promise<number> {
  const { DEFAULT_DATABASE, pullDatabase } = await import("./pull-database.ts")
  const [artifacts, scans] = [await engine.artifacts(), await engine.scans()]
  const [name = DEFAULT_DATABASE] = flags.dbRepository.flatMap((each) => each.split(","))
  const info = await pullDatabase({ artifacts, scans }, tagged(name), registryAccess(flags))
  if (!flags.quiet) (await import("./database-info.ts")).writeDatabaseInfo(out, info)
  return 0
}

/** Trivy's repositories are named without a tag: its databases of this form are those of tag 2. */
function tagged(name: string): string {
  return /:[^/]*$/.test(name) ? name : `${name}:2`
}

/**
 * Ctrl-C and SIGTERM end a scan at once, by the kernel: a handler would wait for the event loop, which does not run while files are read. What
 * a scan leaves then goes without it (engine/temporary-store.ts). Only process 1 of a container has no such end (pid_namespaces(7)).
 */
function interruptOfFirstProcess(): AbortOnInterrupt | undefined {
  return process.pid === 1 ? new AbortOnInterrupt() : undefined
}

/** The report without what `old` has, too. */
async function newSince(
  old: string,
  { scans, options, report }: { scans: Scans; options: ScanOptions; report: ScanReport },
  { platform, quiet }: ScanFlags,
  out: Out,
): Promise<ScanReport> {
  await using subject = await scans.open(
    { kind: "any", name: old, ...(platform === undefined ? {} : { platform }) },
    options,
  )
  const { added, gone, same } = await scans.compare(await scans.scan(subject, options), report)
  if (!quiet) out.note(`since ${old}: ${gone} gone, ${same} the same; what follows is new`)
  return added
}

const WORDS: Record<SubjectKind | "any", string> = {
  any: "IMAGE|CONTAINER|PATH",
  image: "IMAGE",
  container: "CONTAINER",
  directory: "DIR",
  archive: "FILE",
  sbom: "FILE",
}

function targetsOf(kind: SubjectKind | "any", names: readonly string[], flags: ScanFlags): ScanTarget[] {
  const named = [flags.dir, flags.input].filter((each) => each !== undefined)
  if (names.length + named.length === 0)
    throw new UsageError("scan needs something to look at: an image, a container, a path, --dir or --input", {
      hint: "see: skiff scan --help",
    })
  if (named.length > 1 || (named.length === 1 && names.length > 0))
    throw new UsageError("--dir and --input each name the only thing that is scanned", {
      hint: "see: skiff scan --help",
    })
  const platform = flags.platform === undefined ? {} : { platform: flags.platform }
  if (flags.dir !== undefined) return [{ kind: "directory", name: flags.dir }]
  if (flags.input !== undefined) return [{ kind: "archive", name: flags.input, ...platform }]
  return names.map((name) => ({ kind, name, ...platform }))
}

/** Of several, reports follow one another: documents of JSON can be told apart, others have one root. */
const MANY: ReadonlySet<string> = new Set(["table", "json", "template"])

function checkFormat({ format, template }: ScanFlags, targets: readonly ScanTarget[]): void {
  if (format === "template" && template === undefined) throw new InvalidArgument("--format template needs --template")
  if (targets.length > 1 && template === undefined && !MANY.has(format ?? "table"))
    throw new InvalidArgument(`--format ${format} is of one thing, and ${targets.length} are named`, {
      hint: "scan them one by one, or as json or table",
    })
}

interface Writing {
  flags: ScanFlags
  out: Out
  isFurther: boolean
}

async function writeReport(scans: Scans, report: ScanReport, writing: Writing): Promise<void> {
  const { flags, out } = writing
  const { renderScan } = await import("./render-scan.ts")
  const isTable = flags.format === "table" && flags.template === undefined
  if (!flags.quiet && !isTable) for (const what of report.leftOut) out.warn(`not looked at: ${what}`)
  await writeText(await renderScan(scans, report, flags, flags.output === undefined ? out.columns : undefined), writing)
}

async function writeText(text: string, { flags, out, isFurther }: Writing): Promise<void> {
  const whole = isFurther && flags.format === "table" ? `\n${text}` : text
  if (flags.output === undefined) return out.text(whole)
  const { appendFileSync, writeFileSync } = await import("node:fs")
  try {
    if (isFurther) appendFileSync(flags.output, whole)
    else writeFileSync(flags.output, whole)
  } catch (cause) {
    throw new InvalidArgument(`cannot write the report to "${flags.output}"`, { cause })
  }
}

function exitCodeOf(report: ScanReport, { exitCode, exitOnEol, failOn }: ScanFlags): number {
  const { vulnerabilities, misconfigurations, secrets, malware, licenses = [] } = report
  const findings = [...vulnerabilities, ...misconfigurations, ...secrets, ...malware, ...licenses]
  if (exitOnEol && report.endOfLife !== undefined) return exitOnEol
  if (exitCode && findings.length > 0) return exitCode
  if (failOn !== undefined && findings.some((each) => isAsBad(each, failOn))) return 1
  return 0
}
