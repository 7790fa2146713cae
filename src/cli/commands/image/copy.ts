import { atomicWrite } from "../../../base/atomic-write.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { defined } from "../../../base/defined.ts"
import { flag } from "../../flag.ts"
import { COPY_FLAGS, copyOptions, TWO_SIDES_FLAGS } from "../../image-copy-flags.ts"
import { signingOf } from "../../push-flags.ts"
import { PullProgress } from "../../output/pull-progress.ts"

export default command({
  summary: "Copy an image between registries, layouts, archives and the local store",
  args: [arg.one("SOURCE", "images"), arg.one("DESTINATION")],
  flags: {
    ...TWO_SIDES_FLAGS,
    ...COPY_FLAGS,
    additionalTag: flag.strings("Further name of the image in a docker-archive", "string"),
    destDaemonHost: flag.string("Where docker listens, for docker-daemon: (default DOCKER_HOST)", "unix:///path"),
    digestfile: flag.string("Write the digest of the copy to the file", "string"),
    srcDaemonHost: flag.string("Where docker listens, for docker-daemon: (default DOCKER_HOST)", "unix:///path"),
    quiet: flag.bool("Suppress the progress", { short: "q" }),
  },
  examples: [
    "skiff image copy --all docker://docker.io/library/debian:12 docker://registry.example/debian:12",
    "skiff image copy docker://alpine:3 oci:layout:alpine",
  ],
  async run({ args: [source, destination], flags, engine, out }) {
    const images = await engine.images()
    const signing = await signingOf(flags)
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 1, quiet: flags.quiet })
    const { additionalTag: moreNames, srcDaemonHost, destDaemonHost } = flags
    const { DOCKER_HOST } = process.env
    const daemons = defined({ source: srcDaemonHost ?? DOCKER_HOST, target: destDaemonHost ?? DOCKER_HOST })
    const options = {
      ...copyOptions(flags),
      ...(signing && { signing }),
      moreNames,
      daemons,
      onProgress: progress.onProgress,
      signal: interrupt.signal,
    }
    const { descriptor } = await images.copy(source, destination, options)
    progress[Symbol.dispose]()
    if (!flags.quiet) out.line(descriptor.digest)
    if (flags.digestfile !== undefined) atomicWrite(flags.digestfile, descriptor.digest, { mode: 0o644 })
  },
})
