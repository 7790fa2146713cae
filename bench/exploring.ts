/** Looking into images: others have no such command, and dive is no engine. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { timed, type Engine } from "./engine.ts"
import { MANY_FILES, type Images } from "./images.ts"
import type { Measure } from "./measure.ts"

const FIGURES = "{{.Efficiency}} {{.WastedBytes}}"

/** Of an image of many small files: what is at hand once its layers have indexes, and the first look, which reads all of it. */
export function exploreMeasures(images: Images, directory: string, quick: boolean): Measure[] {
  const archive = join(directory, "explore.tar")
  return [
    {
      name: `explore ${MANY_FILES} files from the index`,
      unit: "ms",
      rounds: quick ? 3 : 10,
      target: { atMost: 1_000 },
      before: async (engine) => {
        if (!isOurs(engine)) return
        await timed(engine, ["pull", ...engine.pullFlags, images.manyFiles])
        await explore(engine, images.manyFiles)
      },
      round: async (engine) => await explore(engine, images.manyFiles),
    },
    {
      name: `explore ${MANY_FILES} files for the first time`,
      unit: "s",
      rounds: quick ? 1 : 3,
      before: async (engine) => {
        if (!isOurs(engine)) return
        await timed(engine, ["pull", ...engine.pullFlags, images.manyFiles])
        await timed(engine, ["save", "-o", archive, images.manyFiles])
      },
      // of an archive no index is kept
      round: async (engine) => (await explore(engine, `docker-archive:${archive}`)) / 1_000,
      after: async (engine) => {
        if (isOurs(engine)) rmSync(archive, { force: true })
      },
    },
  ]
}

function isOurs({ name }: Engine): boolean {
  return name === "skiff"
}

async function explore(engine: Engine, place: string): Promise<number> {
  return isOurs(engine) ? await timed(engine, ["explore", "-q", "--format", FIGURES, place]) : NaN
}
