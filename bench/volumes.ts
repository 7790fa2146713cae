/** Snapshots of volumes, and volumes that go to a registry and come back: no peer has either. */
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { timed, type Engine } from "./engine.ts"
import type { Images } from "./images.ts"
import type { Measure } from "./measure.ts"

const FILES = 30_000
const DIRECTORIES = 300
const NAME = "bench-volume"

/** Files are made below `directory`; volumes are pushed to where `images` lie. */
export function volumeMeasures(images: Images, directory: string, quick: boolean): Measure[] {
  const megabytes = quick ? 64 : 1024
  const rounds = quick ? 1 : 3
  const [host = ""] = images.gigabyte.split("/")
  const archive = join(directory, "volume.tar")
  const filled = (make: () => void) => ({
    before: async (engine: Engine) => {
      if (!hasSnapshots(engine)) return
      make()
      await timed(engine, ["volume", "create", NAME])
      await timed(engine, ["volume", "import", NAME, archive])
    },
    after: async (engine: Engine) => {
      if (hasSnapshots(engine)) await timed(engine, ["volume", "rm", NAME])
      rmSync(archive, { force: true })
    },
  })
  const small = filled(() => packFiles(directory, archive))
  const large = filled(() => packNoise(directory, archive, megabytes))
  let round = 0
  return [
    {
      name: `volume snapshot of ${FILES} files`,
      unit: "s",
      rounds,
      ...small,
      round: (engine) => seconds(engine, ["volume", "snapshot", NAME, `s${round++}`]),
    },
    {
      name: `volume push ${megabytes} MiB`,
      unit: "s",
      rounds,
      ...large,
      round: (engine) => seconds(engine, ["volume", "push", "-q", NAME, `${host}/bench/volume:${round++}`]),
    },
    {
      name: `volume push ${megabytes} MiB again, unchanged`,
      unit: "s",
      rounds,
      ...large,
      before: async (engine) => {
        await large.before(engine)
        await seconds(engine, ["volume", "push", "-q", NAME, `${host}/bench/volume:again`])
      },
      round: (engine) => seconds(engine, ["volume", "push", "-q", NAME, `${host}/bench/volume:again`]),
    },
    {
      name: `volume pull ${megabytes} MiB`,
      unit: "s",
      rounds,
      ...large,
      before: async (engine) => {
        await large.before(engine)
        await seconds(engine, ["volume", "push", "-q", NAME, `${host}/bench/volume:pull`])
      },
      round: (engine) => seconds(engine, ["volume", "pull", "-q", "-f", `${host}/bench/volume:pull`, NAME]),
    },
  ]
}

/** NaN of who has no such command. */
async function seconds(engine: Engine, words: string[]): Promise<number> {
  return hasSnapshots(engine) ? (await timed(engine, words)) / 1_000 : Number.NaN
}

function hasSnapshots({ name }: Engine): boolean {
  return name === "skiff"
}

function packFiles(directory: string, archive: string): void {
  const source = join(directory, "volume-source")
  for (let group = 0; group < DIRECTORIES; group++) {
    mkdirSync(join(source, `d${group}`), { recursive: true })
    for (let file = 0; file < FILES / DIRECTORIES; file++)
      writeFileSync(join(source, `d${group}/f${file}`), `${group} ${file}\n`.repeat(1 + (file % 200)))
  }
  pack(source, archive)
}

/** Bytes that no compression makes fewer. */
function packNoise(directory: string, archive: string, megabytes: number): void {
  const source = join(directory, "volume-source")
  mkdirSync(source, { recursive: true })
  spawnSync("dd", ["if=/dev/urandom", `of=${join(source, "noise")}`, "bs=1M", `count=${megabytes}`])
  pack(source, archive)
}

function pack(source: string, archive: string): void {
  const { status } = spawnSync("tar", ["-cf", archive, "-C", source, "."])
  rmSync(source, { recursive: true })
  if (status !== 0) throw new Error("tar could not pack what is to be measured")
}
