import { atomicWrite } from "../../../base/atomic-write.ts"
import type { Container } from "../../../container/container.ts"
import type { ImageRunConfig } from "../../../spec/oci-image.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { readRunConfig } from "../../read-run-config.ts"
import { PullProgress } from "../../output/pull-progress.ts"

export default command({
  summary: "Create a new image from a container's changes",
  args: [arg.one("CONTAINER", "containers"), arg.optional("REPOSITORY[:TAG]", "images")],
  flags: {
    author: flag.string('Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', "string", { short: "a" }),
    config: flag.string("Merge a JSON file of run parameters into the image's", "file"),
    change: flag.strings("Apply Dockerfile instruction to the created image", "list", { short: "c" }),
    format: flag.choice(["oci", "docker"], 'Format of the manifest ("oci"|"docker"; default oci)', { short: "f" }),
    iidfile: flag.string("Write the image ID to the file", "string"),
    includeVolumes: flag.bool("Volumes and binds that the container was given become volumes of the image"),
    message: flag.string("Commit message", "string", { short: "m" }),
    pause: flag.bool("Pause container during commit", { short: "p", initial: true }),
    quiet: flag.bool("Suppress verbose output", { short: "q" }),
    squash: flag.bool("Make a single layer of all files, including those of the base image", { short: "s" }),
  },
  examples: ['skiff commit -c \'CMD ["nginx"]\' -m "configured" web web:2'],
  async run({ args: [container, typed], flags, engine, out, dialect }) {
    const { author, message, pause, squash, format } = flags
    const name = typed === undefined ? undefined : dialect.results.newName(typed)
    const containers = await engine.containers()
    const given = flags.config === undefined ? {} : readRunConfig(flags.config)
    const volumes = flags.includeVolumes ? targetsOf(containers.get(container)) : {}
    const change = async (own: ImageRunConfig) => {
      const config = { ...own, ...given, Volumes: { ...own.Volumes, ...given.Volumes, ...volumes } }
      if (flags.change.length === 0) return config
      return await (await engine.builds()).applyChanges(config, flags.change)
    }
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet || !out.stderrIsTerminal })
    const { onProgress } = progress
    const options = { name, author, message, pause, squash, format, change, onProgress }
    const { id } = await containers.commit(container, options)
    progress[Symbol.dispose]()
    if (flags.iidfile !== undefined) atomicWrite(flags.iidfile, id, { mode: 0o644 })
    out.line(dialect.results.imageId(id))
  },
})

/** Paths inside that a volume or a bind was mounted at. */
function targetsOf({ options }: Container): Record<string, object> {
  return Object.fromEntries(
    options.mounts.flatMap(({ type, target }) => (type === "bind" || type === "volume" ? [[target, {}]] : [])),
  )
}
