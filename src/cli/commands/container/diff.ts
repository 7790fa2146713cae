import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainer, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { DIFF_FORMAT_FLAGS, printFileChanges } from "../../output/file-changes.ts"
import { snapshotNamed } from "../../snapshot-named.ts"

export default command({
  summary: "Inspect changes to files or directories on a container's filesystem",
  args: [arg.one("CONTAINER", "containers", { unless: CHOOSING }), arg.optional("CONTAINER|IMAGE", "objects")],
  flags: { ...DIFF_FORMAT_FLAGS, latest: CHOICE_FLAGS.latest },
  async run({ args: [name, other], flags, engine, out }) {
    const containers = await engine.containers()
    const id = chooseContainer(containers, name, flags)
    const since = other === undefined ? undefined : ((await snapshotNamed(engine, other)) ?? "nothing")
    await printFileChanges(out, containers.fileChanges(id, since === undefined ? {} : { since }), flags)
  },
})
