/** `npm run bench`: skiff, podman and docker side by side, one table on the screen and in bench/results.md. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Registry } from "../test/support/registry.ts"
import { buildMeasures, pushDebian } from "./build.ts"
import { buildah, docker, podman, rememberFirewall, skiff, timed, type Engine } from "./engine.ts"
import { pushImages } from "./images.ts"
import { measures, removeAll, type Measure } from "./measures.ts"
import { report, type Result } from "./report.ts"
import { makeCrunWork } from "./runtime.ts"

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    /** Only the measures whose name contains this. */
    only: { type: "string", default: "" },
    runtime: { type: "string", default: "crun" },
  },
})

async function measureAll(measure: Measure, engines: readonly Engine[]): Promise<Result> {
  console.error(measure.name)
  const figures = new Map(engines.map((engine) => [engine.name, [] as number[]]))
  const able = new Set(engines)
  const guarded = async (engine: Engine, step: () => Promise<void>) => {
    if (!able.has(engine)) return
    try {
      await step()
    } catch (error) {
      able.delete(engine)
      console.error(`  ${engine.name}: ${error instanceof Error ? error.message.trim() : String(error)}`)
    }
  }
  for (const engine of engines) await guarded(engine, async () => measure.before?.(engine))
  for (let round = 0; round < measure.rounds; round++)
    // who begins changes from round to round
    for (const [index] of engines.entries()) {
      const engine = engines[(index + round) % engines.length]
      if (engine) await guarded(engine, async () => void figures.get(engine.name)?.push(await measure.round(engine)))
    }
  for (const engine of engines) await guarded(engine, async () => measure.after?.(engine))
  return { measure, figures }
}

async function main(): Promise<void> {
  const directory = mkdtempSync("/var/tmp/skiff-bench-")
  const crun = flags.runtime === "crun" ? makeCrunWork() : { undo: () => {} }
  const firewall = rememberFirewall()
  const registry = await Registry.start()
  const engines: Engine[] = []
  try {
    const images = pushImages(registry)
    const runtime = flags.runtime
    const own = skiff(directory, runtime)
    for (const engine of [own, podman(directory, runtime), await docker(directory), buildah(directory, runtime)])
      if (engine) engines.push(engine)
    for (const engine of engines) {
      await timed(engine, ["pull", ...engine.pullFlags, images.small])
      if (!engine.onlyBuilds) await timed(engine, ["run", "--rm", images.small, "true"])
    }
    const wanted = ({ name }: Measure) => name.includes(flags.only)
    const debian = "build with apt".includes(flags.only) ? await pushDebian(own, registry.host) : undefined
    const builds = buildMeasures({ small: images.small, debian }, directory, flags.quick)
    const results: Result[] = []
    for (const measure of [...measures(images, flags.quick), ...builds].filter(wanted))
      results.push(
        await measureAll(
          measure,
          engines.filter(({ onlyBuilds }) => measure.builds || !onlyBuilds),
        ),
      )
    const table = report(engines, results, "note" in crun && crun.note !== undefined ? [crun.note] : [])
    console.log(table)
    if (!flags.quick && flags.only === "") writeFileSync(join(import.meta.dir, "results.md"), table)
  } finally {
    for (const engine of engines) {
      if (!engine.onlyBuilds) await removeAll(engine)
      await engine.stop()
    }
    firewall.restore()
    registry.stop()
    crun.undo()
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  }
}

await main()
