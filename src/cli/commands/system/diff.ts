import { isSkiffError, NotFound } from "../../../base/errors.ts"
import type { Engine } from "../../../engine/engine.ts"
import type { ChangesOptions, FileChange } from "../../../snapshot/snapshot.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainer, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { DIFF_FORMAT_FLAGS, printFileChanges } from "../../output/file-changes.ts"
import { snapshotNamed } from "../../snapshot-named.ts"

export default command({
  summary: "Inspect changes to files or directories on a container's or an image's filesystem",
  args: [arg.one("CONTAINER|IMAGE", "objects", { unless: CHOOSING }), arg.optional("CONTAINER|IMAGE", "objects")],
  flags: { ...DIFF_FORMAT_FLAGS, latest: CHOICE_FLAGS.latest },
  examples: ["skiff diff web", "skiff diff nginx:2 nginx:1"],
  async run({ args: [name, other], flags, engine, out }) {
    const since = other === undefined ? undefined : ((await snapshotNamed(engine, other)) ?? "nothing")
    await printFileChanges(out, await changesOf(engine, name, flags, since === undefined ? {} : { since }), flags)
  },
})

/** Of a container, else of an image, of that name. */
async function changesOf(
  engine: Engine,
  name: string,
  flags: { latest: boolean },
  options: ChangesOptions,
): Promise<AsyncIterable<FileChange>> {
  const containers = await engine.containers()
  try {
    const { id } = containers.get(chooseContainer(containers, name, flags))
    return containers.fileChanges(id, options)
  } catch (error) {
    if (flags.latest || !isSkiffError(error, "NotFound")) throw error
  }
  const images = await engine.images()
  const image = images.find(name)
  if (image === undefined)
    throw new NotFound(`no such container or image: "${name}"`, {
      hint: [{ do: "listContainers" }, { do: "listImages" }],
      data: { object: "object", name },
    })
  return images.fileChanges(image.id, options)
}
