import { InvalidArgument } from "../../../base/errors.ts"
import type { CopyPlace } from "../../../container/container.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { copyBetween } from "../../copy-between.ts"
import { placeOf } from "../../copy-place.ts"
import { flag } from "../../flag.ts"
import { CopyProgress } from "../../output/copy-progress.ts"

export default command({
  summary: "Copy files/folders between a container and the local filesystem",
  description: "Use '-' as the source to read a tar archive from STDIN, as the destination to write one to STDOUT.",
  args: [arg.one("[CONTAINER:]SRC_PATH|-", "containers"), arg.one("[CONTAINER:]DEST_PATH|-", "containers")],
  flags: {
    archive: flag.bool("Archive mode (copy all uid/gid information)", { short: "a" }),
    // what is different in podman's dialect (compat/podman-defaults.ts)
    archiveChowns: flag.bool("Archive mode gives all to the container's user, or the caller", { hidden: true }),
    fromWorkdir: flag.bool("Relative paths of a container start from its working directory", { hidden: true }),
    followLink: flag.bool("Always follow symbol link in SRC_PATH", { short: "L" }),
    overwrite: flag.bool("Allow to overwrite directories with non-directories and vice versa"),
    quiet: flag.bool(
      "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached",
      {
        short: "q",
      },
    ),
  },
  examples: ["skiff cp web:/etc/nginx/. conf", "skiff cp site web:/srv", "skiff cp web:/var/log - | tar -t"],
  async run({ args: [from, to], flags, engine, out }) {
    const { followLink, overwrite, quiet, archiveChowns } = flags
    const typed = [placeOf(from), placeOf(to)] as const
    check(from, to, ...typed)
    const containers = await engine.containers()
    const inWorkdir = async (place: CopyPlace | "-"): Promise<CopyPlace | "-"> => {
      if (!flags.fromWorkdir || place === "-" || !("container" in place) || place.path.startsWith("/")) return place
      const { run } = await containers.inspect(place.container)
      return { ...place, path: `${run.workdir}/${place.path}` }
    }
    const [source, target] = [await inWorkdir(typed[0]), await inWorkdir(typed[1])]
    const isOut = target !== "-" && !("container" in target)
    const archive = archiveChowns && isOut ? !flags.archive : flags.archive
    using interrupt = new AbortOnInterrupt()
    const title = target !== "-" && "container" in target ? "Copying to container" : "Copying from container"
    using progress = new CopyProgress(title, { out, quiet })
    const options = {
      archive,
      rootOwns: archiveChowns,
      followLink,
      overwrite,
      onContent: progress.onContent,
      abort: interrupt.signal,
    }
    const { toOutput } = await copyBetween(containers, source, target, { ...options, out })
    if (!toOutput) progress.succeeded(to)
  },
})

function check(from: string, to: string, source: CopyPlace | "-", target: CopyPlace | "-"): void {
  if (![source, target].some((place) => place !== "-" && "container" in place))
    throw new InvalidArgument("must specify at least one container source", {
      hint: "name it before the path: skiff cp web:/etc/hosts .",
    })
  for (const [place, word] of [
    [source, from],
    [target, to],
  ] as const)
    if (word === "" || (place !== "-" && "container" in place && place.path === ""))
      throw new InvalidArgument(`invalid arguments "${from}", "${to}": you must specify paths`)
}
