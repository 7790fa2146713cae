/** `npm run bench`: skiff, podman and docker side by side, one table on the screen and in bench/results.md. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Registry } from "../test/support/registry.ts"
import { buildMeasures, pushDebian, WITH_APT } from "./build.ts"
import { containerMeasures, removeAll, rootlessMeasures } from "./containers.ts"
import { composeMeasures } from "./compose.ts"
import { copyMeasures } from "./copying.ts"
import { volumeMeasures } from "./volumes.ts"
import {
  buildah,
  docker,
  podman,
  rememberFirewall,
  skiff,
  timed,
  unmountBelow,
  userEngines,
  type Engine,
} from "./engine.ts"
import { pushImages } from "./images.ts"
import type { Measure } from "./measure.ts"
import { kubeMeasures } from "./kube.ts"
import { networkMeasures } from "./networks.ts"
import { makeOtherHost } from "./other-host.ts"
import { exploreMeasures } from "./exploring.ts"
import { nameMeasures } from "./names.ts"
import { report, type Result } from "./report.ts"
import { serviceMeasures } from "./services.ts"
import { makeCrunWork } from "./runtime.ts"
import { transferMeasures } from "./transfers.ts"
import { watchingMeasures } from "./watching.ts"

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    /** Only the measures whose name contains one of these. */
    only: { type: "string", multiple: true, default: [""] },
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

async function prepare(engine: Engine, image: string): Promise<void> {
  await timed(engine, ["pull", ...engine.pullFlags, image])
  if (!engine.onlyBuilds) await timed(engine, ["run", "--rm", image, "true"])
}

async function main(): Promise<void> {
  const directory = mkdtempSync("/var/tmp/skiff-bench-")
  chmodSync(directory, 0o755) // the ordinary user has a part of it
  const crun = flags.runtime === "crun" ? makeCrunWork() : { undo: () => {} }
  const firewall = rememberFirewall()
  const other = makeOtherHost()
  const registry = await Registry.start()
  const engines: Engine[] = []
  const users: Engine[] = []
  try {
    const images = pushImages(registry)
    const runtime = flags.runtime
    const own = skiff(directory, runtime)
    for (const engine of [own, podman(directory, runtime), await docker(directory), buildah(directory, runtime)])
      if (engine) engines.push(engine)
    for (const engine of engines) await prepare(engine, images.small)
    const wanted = (name: string) => flags.only.some((part) => name.includes(part))
    const debian = wanted(WITH_APT) ? await pushDebian(own, registry.host) : undefined
    const measures = [
      ...containerMeasures(images, flags.quick),
      ...nameMeasures(images.small, flags.quick),
      ...serviceMeasures(directory, flags.quick),
      ...composeMeasures(images.small, directory, flags.quick),
      ...kubeMeasures(images.small, directory, flags.quick),
      ...watchingMeasures(images, flags.quick),
      ...transferMeasures(images, directory, flags.quick),
      ...exploreMeasures(images, directory, flags.quick),
      ...copyMeasures(images.small, directory, flags.quick),
      ...volumeMeasures(images, directory, flags.quick),
      ...rootlessMeasures(images.small, flags.quick),
      ...networkMeasures(images.small, other.inOther, { quick: flags.quick }),
      ...networkMeasures(images.small, other.inOther, { quick: flags.quick, user: true }),
      ...buildMeasures({ small: images.small, debian }, directory, flags.quick),
    ].filter(({ name }) => wanted(name))
    if (measures.some(({ by }) => by === "user")) users.push(...userEngines(directory, runtime))
    for (const engine of users) await prepare(engine, images.small)
    const asked = {
      builders: engines,
      user: users,
      compose: engines.filter(({ composes }) => composes),
      all: engines.filter(({ onlyBuilds }) => !onlyBuilds),
    }
    const results: Result[] = []
    for (const measure of measures) results.push(await measureAll(measure, asked[measure.by ?? "all"]))
    const table = report(engines, results, "note" in crun && crun.note !== undefined ? [crun.note] : [])
    console.log(table)
    if (!flags.quick && flags.only.includes("")) writeFileSync(join(import.meta.dir, "results.md"), table)
  } finally {
    for (const engine of [...engines, ...users]) {
      if (!engine.onlyBuilds) await removeAll(engine)
      await engine.stop()
    }
    firewall.restore()
    other.undo()
    registry.stop()
    crun.undo()
    unmountBelow(directory)
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  }
}

await main()
