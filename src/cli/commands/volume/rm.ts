import type { Containers } from "../../../container/container.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName, unlessIgnored } from "../../each.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove one or more volumes",
  args: [arg.some("VOLUME", "volumes", { unless: ["all"] })],
  flags: {
    all: flag.bool("Remove all volumes", { short: "a" }),
    force: flag.bool("Force the removal of one or more volumes", { short: "f" }),
    time: flag.int("With --force, stop and remove the containers that use them, after so many seconds", { short: "t" }),
  },
  async run({ args: [given], flags, engine, ...context }) {
    if (flags.all && given.length > 0) throw new UsageError("no arguments are needed with --all")
    if (flags.time !== undefined && !flags.force)
      throw new UsageError("--force option must be specified to use the --time option")
    const volumes = await engine.volumes()
    const names = flags.all ? volumes.list().map(({ name }) => name) : given
    return forEachName(names, context, async (name) => {
      if (flags.time !== undefined || (flags.force && context.dialect.volumes.forceRemovesUsers))
        await removeUsers(await engine.containers(), name, flags.time ?? DEFAULT_SECONDS)
      const isSilent = flags.force && !context.dialect.volumes.forceTellsMissing
      return unlessIgnored(isSilent, async () => {
        await volumes.remove(name, { force: flags.force && !isSilent })
        return name
      })
    })
  },
})

/** How long a container has to end, as podman's `--time`. */
const DEFAULT_SECONDS = 10

/** Containers that use a volume, those that stand on them first. */
async function removeUsers(containers: Containers, volume: string, seconds: number): Promise<void> {
  const users = containers.list({ all: true, volume: [volume] }).map(({ id }) => id)
  for (const id of containers.withDependents(users))
    await unlessIgnored(true, async () => {
      await containers.stop(id, { timeoutSeconds: seconds < 0 ? Infinity : seconds })
      await containers.remove(id, { force: true })
    })
}
