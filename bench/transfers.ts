/** Images that come and go: pull, load, save, and the memory that each takes. */
import { spawnSync } from "node:child_process"
import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { peakMib, timed, type Engine } from "./engine.ts"
import { MANY_FILES, type Images } from "./images.ts"
import type { Measure } from "./measure.ts"

const BEST = "best" as const
const MEMORY = { unit: "MiB", rounds: 1, target: { atMost: 100 } } as const

/** Archives are written below `directory`. */
export function transferMeasures(images: Images, directory: string, quick: boolean): Measure[] {
  const rounds = quick ? 1 : 5
  const few = quick ? 1 : 3
  const archive = () => makeArchive(images.gigabyte, join(directory, "gigabyte.tar"))
  const saved = (engine: Engine) => join(directory, `${engine.name}.tar`)
  const save = (engine: Engine) => ["save", "-o", saved(engine), images.gigabyte]
  const loaded = async (engine: Engine, measured: typeof timed) => {
    const figure = await measured(engine, ["load", "-i", archive()])
    await timed(engine, ["rmi", LOADED])
    return figure
  }
  const written = async (engine: Engine, measured: typeof timed) => {
    const figure = await measured(engine, save(engine))
    rmSync(saved(engine))
    return figure
  }
  const hasGigabyte = {
    before: async (engine: Engine) => void (await timed(engine, pull(engine, images.gigabyte))),
    after: async (engine: Engine) => void (await timed(engine, ["rmi", images.gigabyte])),
  }
  const hasFirst = {
    before: async (engine: Engine) => void (await timed(engine, pull(engine, (await images.versions()).first))),
    after: async (engine: Engine) => void (await timed(engine, ["rmi", (await images.versions()).first])),
  }
  const fetched = async (engine: Engine) => {
    const { next, proxy } = await images.versions()
    const before = proxy.bytes
    await pulled(engine, next, timed)
    return (proxy.bytes - before) / 2 ** 20
  }
  return [
    {
      name: "pull 1 GB",
      unit: "s",
      rounds,
      target: { ratio: 0.4, peer: BEST },
      round: async (engine) => (await pulled(engine, images.gigabyte, timed)) / 1_000,
    },
    { name: "memory of pull 1 GB", ...MEMORY, round: (engine) => pulled(engine, images.gigabyte, peakMib) },
    {
      name: `pull ${MANY_FILES} files`,
      unit: "s",
      rounds: few,
      target: { ratio: 0.1, peer: BEST },
      round: async (engine) => (await pulled(engine, images.manyFiles, timed)) / 1_000,
    },
    {
      name: `memory of pull ${MANY_FILES} files`,
      ...MEMORY,
      round: (engine) => pulled(engine, images.manyFiles, peakMib),
    },
    {
      name: "pull 200 MB",
      unit: "s",
      rounds: few,
      round: async (engine) => (await pulled(engine, (await images.versions()).next, timed)) / 1_000,
    },
    {
      name: "pull its next version, 10 MB new",
      unit: "s",
      rounds: few,
      ...hasFirst,
      round: async (engine) => (await pulled(engine, (await images.versions()).next, timed)) / 1_000,
    },
    { name: "fetched for it", unit: "MiB", rounds: 1, ...hasFirst, round: fetched },
    {
      name: "load 1 GB",
      unit: "s",
      rounds: few,
      target: { ratio: 0.5, peer: BEST },
      before: async () => void archive(),
      round: async (engine) => (await loaded(engine, timed)) / 1_000,
    },
    { name: "memory of load 1 GB", ...MEMORY, round: (engine) => loaded(engine, peakMib) },
    {
      name: "save 1 GB",
      unit: "s",
      rounds: few,
      target: { ratio: 0.6, peer: BEST },
      ...hasGigabyte,
      round: async (engine) => (await written(engine, timed)) / 1_000,
    },
    { name: "memory of save 1 GB", ...MEMORY, ...hasGigabyte, round: (engine) => written(engine, peakMib) },
  ]
}

const pull = (engine: Engine, image: string) => ["pull", "-q", ...engine.pullFlags, image]

/** The figure of one pull of `image`, which is removed again. */
async function pulled(engine: Engine, image: string, measured: typeof timed): Promise<number> {
  const figure = await measured(engine, pull(engine, image))
  await timed(engine, ["rmi", image])
  return figure
}

const LOADED = "docker.io/bench/loaded:latest"

/** What `docker save` writes, made by none of the engines. */
function makeArchive(image: string, path: string): string {
  if (existsSync(path)) return path
  const copy = ["copy", "--quiet", "--insecure-policy", "--src-tls-verify=false"]
  const { status, stderr } = spawnSync("skopeo", [...copy, `docker://${image}`, `docker-archive:${path}:${LOADED}`])
  if (status !== 0) throw new Error(`skopeo copy failed: ${stderr}`)
  return path
}
