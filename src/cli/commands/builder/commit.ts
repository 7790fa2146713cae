import { atomicWrite } from "../../../base/atomic-write.ts"
import { Unsupported } from "../../../base/errors.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { deliver, parseDestination } from "../../build/destination.ts"
import { BUILD_FLAGS } from "../../build/flags.ts"
import { refused, withoutValue } from "../../build/foreign-flag.ts"
import { command } from "../../command.ts"
import { readBoolean } from "../../../spec/docker/boolean.ts"
import { flag } from "../../flag.ts"
import { PullProgress } from "../../output/pull-progress.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Create an image from a working container",
  description: `IMAGE is a name in the store, or a transport and a path: docker://REGISTRY/NAME, oci:DIRECTORY[:TAG], oci-archive:FILE[:NAME],
docker-archive:FILE[:NAME], dir:DIRECTORY, containers-storage:NAME.`,
  args: [arg.one("CONTAINER"), arg.optional("IMAGE", "images")],
  flags: {
    ...REGISTRY_FLAGS,
    disableCompression: flag.bool("Accepted: layers are compressed where they travel", { short: "D" }),
    encryptLayer: refused("layers are not encrypted"),
    encryptionKey: refused("layers are not encrypted"),
    format: flag.choice(["oci", "docker"], "Format of the image's manifest", { short: "f" }),
    identityLabel: withoutValue(flag.of(readIdentity, "Accepted when false", "bool"), "true"),
    iidfile: BUILD_FLAGS.iidfile,
    manifest: refused("lists of images are made by a build for several platforms", "skiff build --platform a,b"),
    omitHistory: flag.bool("Omit build history information from the built image"),
    quiet: flag.bool("Don't output progress information when writing images", { short: "q" }),
    referenceTime: refused("times are given in seconds", "--timestamp $(stat -c %Y FILE)"),
    rm: flag.bool("Remove the container after its content has been committed to an image"),
    signBy: refused("what stays in the local store is not signed", "sign it as it leaves: push --sign-by"),
    signaturePolicy: refused("policies are read from the host's policy.json alone"),
    squash: flag.bool("Produce an image with only one layer"),
    timestamp: BUILD_FLAGS.timestamp,
    unsetenv: flag.strings("Unset environment variable from the final image"),
  },
  examples: [
    "skiff builder commit --rm $c web:1",
    "skiff builder commit $c docker://registry.example/team/web:1",
    "skiff builder commit --squash $c oci-archive:web.tar:web:1",
  ],
  async run({ args: [container, place], flags, engine, out }) {
    const destination = parseDestination(place)
    const { format } = flags
    const working = await engine.workingContainers()
    const image = await working.commit(container, {
      squash: flags.squash,
      omitHistory: flags.omitHistory,
      unsetEnv: flags.unsetenv,
      ...(format === undefined ? {} : { format }),
      ...(destination.kind === "store" && destination.name !== undefined ? { name: destination.name } : {}),
      ...(flags.timestamp === undefined ? {} : { epoch: flags.timestamp }),
    })
    using interrupt = new AbortOnInterrupt()
    using progress = new PullProgress({ fd: 2, quiet: flags.quiet || !out.stderrIsTerminal })
    const { onProgress } = progress
    const options = { ...registryAccess(flags), onProgress, signal: interrupt.signal }
    await deliver(await engine.images(), image, destination, options, out)
    progress[Symbol.dispose]()
    if (flags.rm) await working.remove(container)
    if (flags.iidfile !== undefined) atomicWrite(flags.iidfile, image.id, { mode: 0o644 })
    out.line(image.id)
  },
})

/** buildah's `io.buildah.version` would name another builder. */
function readIdentity(text: string): false {
  if (!readBoolean(text)) return false
  throw new Unsupported("images are not labelled with who made them", { hint: "set it: builder config --label" })
}
