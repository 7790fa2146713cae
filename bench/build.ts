/** Builds, measured: the same Dockerfiles by every engine, without and with its cache. */
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { timed, type Engine } from "./engine.ts"
import type { Measure } from "./measure.ts"

export interface BuildBases {
  small: string
  /** Undefined where Debian's packages cannot be reached. */
  debian: string | undefined
}

export const WITH_APT = "build with apt-get install nginx"

const STEPS = 20
const STAGES = 8
const FILES = 50_000

/** Contexts are written below `directory`. */
export function buildMeasures(bases: BuildBases, directory: string, quick: boolean): Measure[] {
  const context = (name: string, dockerfile: string) => {
    const path = join(directory, "contexts", name)
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, "Dockerfile"), dockerfile)
    return path
  }
  const steps = context("steps", `FROM ${bases.small}\n${lines(STEPS, (index) => `RUN echo ${index} > /f${index}`)}`)
  const stages = context("stages", stagesOf(bases.small))
  const files = context("files", `FROM ${bases.small}\nCOPY files /files\n`)
  const rounds = quick ? 1 : 5
  const measures: Measure[] = [
    {
      name: `build ${STEPS} RUN steps, no cache`,
      unit: "s",
      rounds,
      by: "builders",
      target: { ratio: 0.25, peer: "best" },
      round: (engine) => build(engine, steps, "--no-cache"),
    },
    {
      name: `build ${STEPS} RUN steps, all cached`,
      unit: "s",
      rounds: quick ? 3 : 11,
      by: "builders",
      target: { ratio: 0.12, peer: "best" },
      before: async (engine) => void (await build(engine, steps)),
      round: (engine) => build(engine, steps),
    },
    {
      name: `build ${STAGES} independent stages`,
      unit: "s",
      rounds,
      by: "builders",
      target: { ratio: 0.5, peer: "best" },
      round: (engine) => build(engine, stages, "--no-cache"),
    },
    {
      name: `build COPY of ${FILES} files`,
      unit: "s",
      rounds: quick ? 1 : 3,
      by: "builders",
      target: { ratio: 0.6, peer: "best" },
      before: async () => writeFiles(join(files, "files")),
      round: (engine) => build(engine, files, "--no-cache"),
    },
  ]
  if (bases.debian === undefined) return measures
  const apt = context("apt", `FROM ${bases.debian}\n${APT}`)
  cpSync(join(import.meta.dir, "../examples/nginx/site"), join(apt, "site"), { recursive: true })
  return [
    ...measures,
    {
      name: WITH_APT,
      unit: "s",
      rounds: quick ? 1 : 3,
      by: "builders",
      target: { ratio: 1, peer: "best" },
      before: async (engine) => {
        if (engine.name !== "skiff") await timed(engine, ["pull", ...engine.pullFlags, bases.debian ?? ""])
      },
      round: (engine) => build(engine, apt, "--no-cache"),
    },
  ]
}

const APT = `RUN apt-get update && apt-get install -y --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/*
COPY site /var/www/html
CMD ["nginx", "-g", "daemon off;"]
`

/** Each stage makes three small layers; the last one takes a file of each. */
function stagesOf(base: string): string {
  const stage = (index: number) => `FROM ${base} AS s${index}\n${lines(3, (step) => `RUN echo ${index} > /f${step}`)}`
  const last = `FROM ${base}\n${lines(STAGES, (index) => `COPY --from=s${index} /f0 /s${index}`)}`
  return Array.from({ length: STAGES }, (_, index) => stage(index)).join("") + last
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${line(index)}\n`).join("")
}

function writeFiles(directory: string): void {
  for (let index = 0; index < FILES; index++) {
    const below = join(directory, `d${Math.floor(index / 250)}`)
    if (index % 250 === 0) mkdirSync(below, { recursive: true })
    writeFileSync(join(below, `f${index}`), `${index} `.repeat((index % 200) + 1))
  }
  spawnSync("sync")
}

async function build(engine: Engine, context: string, ...flags: string[]): Promise<number> {
  return (await timed(engine, [...engine.buildWords, ...flags, "-q", "-t", "bench-build", context])) / 1_000
}

/** A Debian of its own packages, pushed where all engines find it. */
export async function pushDebian(engine: Engine, registry: string): Promise<string | undefined> {
  const name = `${registry}/bench/debian:12`
  try {
    await timed(engine, ["image", "bootstrap", "debian"])
    await timed(engine, ["tag", "debian:latest", name])
    await timed(engine, ["push", name])
    return name
  } catch (error) {
    console.error(`no build with apt: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
