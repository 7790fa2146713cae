import { isSkiffError } from "../../../base/errors.ts"
import type { Pod, PodOptions, Pods } from "../../../pod/pod.ts"
import { arg } from "../../args.ts"
import { CidFile } from "../../cidfile.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { POD_FLAGS } from "../../pod/pod-flags.ts"
import { podOptions } from "../../pod/pod-options.ts"

export default command({
  summary: "Create a new empty pod",
  args: [arg.optional("NAME")],
  flags: POD_FLAGS,
  failureCode: 125,
  async run({ args: [name], flags, engine, out }) {
    const options = podOptions(name, flags)
    if (flags.replace && options.name === undefined) throw new UsageError("cannot replace pod without a name being set")
    using idFile = flags.podIdFile === undefined ? undefined : new CidFile(flags.podIdFile, "pod")
    const { id } = await createOrReplace(await engine.pods(), options, flags.replace)
    idFile?.write(id)
    out.line(id)
  },
})

/** Whatever else is wrong with the new one is told before the old one goes. */
async function createOrReplace(pods: Pods, options: PodOptions, replace: boolean): Promise<Pod> {
  try {
    return await pods.create(options)
  } catch (error) {
    if (!replace || options.name === undefined || !isSkiffError(error, "AlreadyExists")) throw error
    await pods.remove(options.name, { force: true })
    return pods.create(options)
  }
}
