import { Unsupported } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING, IGNORE_FLAG } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { forEachName, unlessIgnored } from "../../each.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

const { all, cidfile, filter } = CHOICE_FLAGS

export default command({
  summary: "Remove one or more containers",
  args: [arg.some("CONTAINER", "containers", { unless: CHOOSING })],
  flags: {
    all,
    cidfile,
    depend: flag.bool("Remove containers that depend on it, too"),
    // docker: -f is --force, -l is --link
    filter: { ...filter, short: undefined },
    force: flag.bool("Force the removal of a running container (uses SIGKILL)", { short: "f" }),
    ignore: IGNORE_FLAG,
    latest: flag.bool("Choose the container that was created last"),
    link: flag.bool("Remove the specified link", { short: "l" }),
    time: flag.int("Seconds to let a running container stop by itself, with --force", { short: "t" }),
    volumes: flag.bool("Remove anonymous volumes associated with the container", { short: "v" }),
  },
  async run({ args: [names], flags, engine, ...context }) {
    if (flags.link)
      throw new Unsupported("there are no legacy links to remove", {
        hint: "containers of one network find each other by name",
      })
    if (flags.time !== undefined && !flags.force)
      throw new UsageError("--force option must be specified to use the --time option")
    const containers = await engine.containers()
    const chosen = chooseContainers(containers, names, flags)
    const removed = flags.depend ? containers.withDependents(chosen) : chosen
    // docker: with --force, what is not there is as good as removed; not that one, but its line is missing
    const ignore = flags.ignore || flags.force
    return forEachName(removed, context, (name) =>
      unlessIgnored(ignore, async () => {
        if (flags.time !== undefined)
          await containers.stop(name, { timeoutSeconds: flags.time < 0 ? Infinity : flags.time })
        await containers.remove(name, flags)
      }),
    )
  },
})
