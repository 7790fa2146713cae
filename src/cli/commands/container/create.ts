import { arg } from "../../args.ts"
import { CidFile } from "../../cidfile.ts"
import { command } from "../../command.ts"
import { CONTAINER_FLAGS } from "../../container-flags.ts"
import { INIT_CONTAINER_FLAGS, inPodOf } from "../../container-flags/pods.ts"
import { tellDiscardedPorts } from "../../discarded-ports.ts"
import { containerOptions } from "../../container-options.ts"
import { keptCommand } from "../../kept-command.ts"
import { pullIntro } from "../../output/pull-intro.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { replacing } from "../../replace-container.ts"

export default command({
  summary: "Create a new container",
  args: [arg.one("IMAGE", "images"), arg.rest("[COMMAND] [ARG...]")],
  flags: { ...CONTAINER_FLAGS, ...INIT_CONTAINER_FLAGS },
  flagsBeforeWords: true,
  async run({ args: [image, words], flags, engine, out, dialect }) {
    const options = {
      ...containerOptions(image, words, flags),
      createCommand: keptCommand(process.argv.slice(2), words),
    }
    using cidFile = flags.cidfile === undefined ? undefined : new CidFile(flags.cidfile)
    using progress = new PullProgress({
      fd: 2,
      quiet: flags.quiet,
      intro: () => pullIntro(image, dialect.results),
    })
    await using joined = await inPodOf(engine, flags, options)
    const containers = await engine.containers()
    const create = () => containers.create(joined.options, progress.onProgress)
    const { id, warnings = [] } = await replacing(containers, flags, create)
    cidFile?.write(id)
    joined.keep()
    for (const warning of warnings) out.warn(warning)
    tellDiscardedPorts(options, dialect.networks, out)
    out.line(id)
  },
})
