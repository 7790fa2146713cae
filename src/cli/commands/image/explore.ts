import { createWriteStream, writeFileSync } from "node:fs"
import { once } from "node:events"
import { checkRules, type ExploredImage, type OpenOptions } from "../../../explore/explore.ts"
import { parsePlatform } from "../../../spec/platform.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import {
  extract,
  layerNumber,
  printDifferences,
  printHistory,
  printMatches,
  printPackages,
  printShared,
  rawPath,
} from "../../explore/ask.ts"
import { SOURCES, placeOf } from "../../explore/place.ts"
import { fileFailure } from "../../file-failure.ts"
import { flag } from "../../flag.ts"
import type { Out } from "../../out.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"
import { hasColour } from "../../terminal/colour.ts"

const SHARED_ROWS = 100

export default command({
  summary: "Look into the layers of an image: what each changes, and what is wasted",
  args: [arg.one("IMAGE", "images"), arg.optional("IMAGE", "images")],
  flags: {
    ...REGISTRY_FLAGS,
    across: flag.bool("Show contents that other images here have too, in layers of their own"),
    ci: flag.bool("Check the image by rules, and exit with 1 when it breaks one (also by CI=true in the environment)"),
    ciConfig: flag.string("File of the rules (default .dive-ci, when it is there)", "FILE"),
    extract: flag.string("Write a file or directory of the image into the directory of --to", "PATH"),
    format: flag.string("Format of the report: 'json', or a Go template", "string", { short: "f" }),
    highestUserWastedPercent: flag.string("Rule: the most that may be wasted of what is not the base", "0..1", {
      aliases: ["highestUserWastedPercent"],
    }),
    highestWastedBytes: flag.string("Rule: the most bytes that may be wasted", "SIZE", {
      aliases: ["highestWastedBytes"],
    }),
    history: flag.string("Show what each layer does to a path, with the differences of a text", "PATH"),
    html: flag.string("Write the report as a web page: one file, which needs no network", "FILE"),
    ignoreErrors: flag.bool("Accepted for dive's sake: what can be lived with is told, and stops nothing", {
      short: "i",
      hidden: true,
    }),
    json: flag.string("Write dive's document of the image to a file ('-': standard output)", "FILE", { short: "j" }),
    layer: flag.int("Of --search and --extract: one layer, counted from 1"),
    markdown: flag.string("Write the report as Markdown", "FILE"),
    lowestEfficiency: flag.string("Rule: the least efficiency", "0..1", { aliases: ["lowestEfficiency"] }),
    packages: flag.bool("Show the packages that each layer brought"),
    platform: flag.of(parsePlatform, "Choose from a multi-platform image", "OS/ARCH"),
    quiet: flag.bool("Suppress progress", { short: "q" }),
    report: flag.bool("Print a report also on a terminal, instead of showing layers and files on its whole screen"),
    search: flag.string("Show where a text stands in the files", "TEXT"),
    to: flag.string("Directory for --extract (default .)", "DIR"),
    source: flag.choice(SOURCES, "Where the image is, when its name does not say so"),
  },
  examples: [
    "skiff explore debian:12-slim",
    "skiff explore --ci --lowest-efficiency 0.95 app",
    "skiff explore --history /etc/passwd app",
    "skiff explore app:1 app:2",
  ],
  async run({ args: [given, other], flags, engine, out }) {
    using interrupt = new AbortOnInterrupt()
    const { signal } = interrupt
    const explorer = await engine.explorer()
    await using image = await open(placeOf(given, flags.source))
    for (const note of image.notes) out.warn(note)
    if (flags.json !== undefined) await writeDocument(image, flags.json, out, signal)
    if (flags.ci || isTrue(process.env.CI)) return await check(image)
    const layer = flags.layer === undefined ? undefined : layerNumber(flags.layer, image)
    if (other !== undefined) {
      await using second = await open(placeOf(other, flags.source))
      return await printDifferences(out, image, second, { format: flags.format, signal })
    }
    if (flags.packages) return await printPackages(out, image, flags.format)
    if (flags.across)
      return printShared(out, await explorer.shared(placeOf(given, flags.source), SHARED_ROWS, { signal }))
    if (flags.history !== undefined) return await printHistory(out, image, rawPath(flags.history), signal)
    if (flags.search !== undefined) return await printMatches(out, image, flags.search, { layer, signal })
    if (flags.extract !== undefined)
      return await extract(out, image, rawPath(flags.extract), { to: flags.to ?? ".", layer, signal })
    if (flags.json !== undefined && flags.html === undefined && flags.markdown === undefined) return
    const isReport = flags.report || [flags.format, flags.html, flags.markdown].some((value) => value !== undefined)
    if (!isReport && out.stdoutIsTerminal) {
      const { exploreOnScreen, hasScreen } = await import("../../../tui/tui.ts")
      if (hasScreen()) {
        // from here on a signal ends the screen, which gives the terminal back
        interrupt[Symbol.dispose]()
        const { TERM: term = "" } = process.env
        return await exploreOnScreen(image, { hasColour: hasColour(1), term, directory: process.cwd() })
      }
    }
    const { readReport, reportDocument, reportText } = await import("../../explore/report.ts")
    const report = await readReport(image, needsFiles(flags), signal)
    if (flags.html !== undefined || flags.markdown !== undefined) {
      const [{ reportHtml }, { reportMarkdown }] = await Promise.all([
        import("../../explore/report-html.ts"),
        import("../../explore/report-markdown.ts"),
      ])
      if (flags.html !== undefined) writeReport(flags.html, reportHtml(report), out)
      if (flags.markdown !== undefined) writeReport(flags.markdown, reportMarkdown(report), out)
      return
    }
    if (flags.format === undefined) out.line(reportText(report))
    else {
      const { printDocuments } = await import("../../output/document.ts")
      if (flags.format === "json") out.json(reportDocument(report))
      else printDocuments(out, [reportDocument(report)], flags.format)
    }

    async function open(place: string): Promise<ExploredImage> {
      using progress = new PullProgress({ fd: 2, quiet: flags.quiet || !out.stderrIsTerminal })
      const options: OpenOptions = { source: registryAccess(flags), onProgress: progress.onProgress, signal }
      if (flags.platform !== undefined) options.platform = flags.platform
      return await explorer.open(place, options)
    }

    async function check(explored: ExploredImage): Promise<number> {
      const [{ readCiRules }, { ciReport }] = await Promise.all([
        import("../../explore/ci-rules.ts"),
        import("../../explore/ci-report.ts"),
      ])
      const { lowestEfficiency, highestWastedBytes, highestUserWastedPercent } = flags
      const values = readCiRules(flags.ciConfig, { lowestEfficiency, highestWastedBytes, highestUserWastedPercent })
      const figures = await explored.figures({ signal })
      const results = checkRules(figures, values)
      out.line(ciReport(figures, results))
      return results.some(({ status }) => status === "fail") ? 1 : 0
    }
  },
})

/** Whether all files have to be gone through for it: a template may ask for figures alone. */
function needsFiles({
  format = "json",
  html,
  markdown,
}: {
  format?: string
  html?: string
  markdown?: string
}): boolean {
  return (
    html !== undefined ||
    markdown !== undefined ||
    format === "json" ||
    /LargestFiles|Duplicates|json \.[^A-Z]/.test(format)
  )
}

/** As dive reads the variable. */
function isTrue(text: string | undefined): boolean {
  return text === "true" || text === "1" || text === "yes"
}

function writeReport(path: string, text: string, out: Out): void {
  if (path === "-") return out.text(text)
  try {
    writeFileSync(path, text, { mode: 0o644 })
  } catch (cause) {
    throw new UsageError(`cannot write to "${path}": ${fileFailure(cause)}`, { cause })
  }
}

async function writeDocument(image: ExploredImage, path: string, out: Out, signal: AbortSignal): Promise<void> {
  const document = image.diveDocument({ signal })
  if (path === "-") {
    for await (const piece of document) out.text(piece)
    return out.line("")
  }
  const file = createWriteStream(path, { mode: 0o644 })
  try {
    await once(file, "open")
    for await (const piece of document) if (!file.write(piece)) await once(file, "drain")
    file.end()
    await once(file, "close")
  } catch (cause) {
    file.destroy()
    if (signal.aborted) throw cause
    throw new UsageError(`cannot write to "${path}": ${fileFailure(cause)}`, { cause })
  }
}
