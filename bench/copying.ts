/** Files in and out of containers. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { timed, type Engine } from "./engine.ts"
import type { Measure } from "./measure.ts"

const FILES = 30_000
const DIRECTORIES = 300
const NAME = "bench-cp"

/** Of one tree of small files, into a running container and out of it. Files are made below `directory`. */
export function copyMeasures(image: string, directory: string, quick: boolean): Measure[] {
  const source = join(directory, "cp-source")
  const out = (engine: Engine) => join(directory, `cp-out-${engine.name}`)
  const runs = {
    before: async (engine: Engine) => {
      makeTree(source)
      await timed(engine, ["run", "-d", "--name", NAME, "--network", "none", image, "sleep", "1000"])
      await timed(engine, ["cp", source, `${NAME}:/tree`])
    },
    after: async (engine: Engine) => {
      await timed(engine, ["rm", "-f", NAME])
      rmSync(source, { recursive: true, force: true })
    },
  }
  let round = 0
  return [
    {
      name: `cp ${FILES} files in`,
      unit: "s",
      rounds: quick ? 1 : 3,
      target: { ratio: 0.5, peer: "best" },
      ...runs,
      round: async (engine) => (await timed(engine, ["cp", source, `${NAME}:/tree-${round++}`])) / 1_000,
    },
    {
      name: `cp ${FILES} files out`,
      unit: "s",
      rounds: quick ? 1 : 3,
      target: { ratio: 0.5, peer: "best" },
      ...runs,
      round: async (engine) => {
        const figure = (await timed(engine, ["cp", `${NAME}:/tree`, out(engine)])) / 1_000
        rmSync(out(engine), { recursive: true })
        return figure
      },
    },
  ]
}

/** Safe to repeat. */
function makeTree(path: string): void {
  rmSync(path, { recursive: true, force: true })
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    mkdirSync(join(path, `d${directory}`), { recursive: true })
    for (let file = 0; file < FILES / DIRECTORIES; file++)
      writeFileSync(join(path, `d${directory}/f${file}`), `${directory} ${file}\n`.repeat(1 + (file % 200)))
  }
}
