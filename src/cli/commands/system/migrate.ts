import type { Moved } from "../../migrate/migration.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag, type FlagValues } from "../../flag.ts"
import type { Out } from "../../out.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import type { Kind } from "../../migrate/migration.ts"
import type { Engine } from "../../../engine/engine.ts"

const FLAGS = {
  containers: flag.bool("Move definitions of containers; they are not started"),
  dryRun: flag.bool("Show what would be moved"),
  from: flag.choice(["docker", "podman"], "The engine to move from"),
  host: flag.string("Where docker listens (default DOCKER_HOST)", "unix:///path"),
  images: flag.bool("Move images"),
  json: flag.bool("Print one JSON document"),
  networks: flag.bool("Move networks"),
  newRuntime: flag.string("Runtime of all containers from now on (refused: it is chosen as they are made)"),
  quiet: flag.bool("Print only what could not be moved", { short: "q" }),
  volumes: flag.bool("Move volumes with their files"),
}

export default command({
  summary: "Move images, volumes, networks and containers here from docker or podman",
  args: [],
  flags: FLAGS,
  examples: ["skiff system migrate --from podman --dry-run", "sudo skiff system migrate --from docker"],
  async run({ flags, engine, out }) {
    if (flags.newRuntime !== undefined)
      throw new UsageError("a container keeps the runtime that it was made with", {
        hint: "skiff --runtime NAME container clone --destroy CONTAINER",
      })
    if (flags.from === undefined) return await migrateOwn(engine, out)
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet || flags.json })
    const { migrate } = await import("../../migrate/migration.ts")
    const { signal } = interrupt
    const source = await sourceOf(engine, flags, signal)
    const all: Moved[] = []
    const { dryRun } = flags
    for await (const moved of migrate(engine, source, {
      kinds: kindsOf(flags),
      dryRun,
      onProgress: progress.onProgress,
      signal,
    })) {
      all.push(moved)
      if (!flags.json && (!flags.quiet || moved.result === "failed")) out.text(linesOf(moved))
    }
    progress[Symbol.dispose]()
    if (flags.json) out.json(all)
    else if (!flags.quiet) out.line(summaryOf(all, flags.dryRun))
    return all.some(({ result }) => result === "failed") ? 1 : 0
  },
})

type Values = FlagValues<typeof FLAGS>

async function sourceOf(engine: Engine, { from, host }: Values, signal: AbortSignal) {
  if (from === "podman")
    return await (await import("../../migrate/podman-source.ts")).podmanSource(await engine.images(), signal)
  const { dockerSource } = await import("../../migrate/docker-source.ts")
  return await dockerSource(host ?? process.env.DOCKER_HOST, signal)
}

/** All, where none is named. */
function kindsOf(flags: Values): Kind[] {
  const kinds: Kind[] = ["images", "volumes", "networks", "containers"]
  const named = kinds.filter((kind) => flags[kind])
  return named.length > 0 ? named : kinds
}

const TITLES = { images: "image", volumes: "volume", networks: "network", containers: "container" } as const
const RESULTS = { moved: "moved", planned: "would move", there: "is here already", failed: "NOT MOVED" } as const

function linesOf({ kind, name, result, notes }: Moved): string {
  const what = name === "" ? kind : `${TITLES[kind]} ${name}`
  return [`${what}: ${RESULTS[result]}`, ...notes.map((note) => `  ${note}`)].join("\n").concat("\n")
}

function summaryOf(all: readonly Moved[], dryRun: boolean): string {
  const count = (result: Moved["result"]) => all.filter((one) => one.result === result).length
  const done = dryRun ? `${count("planned")} would be moved` : `${count("moved")} moved`
  return `${done}, ${count("there")} here already, ${count("failed")} not moved`
}

/** podman-system-migrate(1): whatever an older version left is brought up to date. Here each command does that for what it reads. */
async function migrateOwn(engine: Engine, out: Out): Promise<number> {
  await engine.maintain()
  out.line("The store is up to date. To move from another engine: skiff system migrate --from docker|podman")
  return 0
}
