import type { PodOptions } from "../../../pod/pod.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag, type FlagValues } from "../../flag.ts"
import { POD_CLONE_FLAGS, podFlagValues, type POD_FLAGS } from "../../pod/pod-flags.ts"
import { podOptions } from "../../pod/pod-options.ts"

export default command({
  summary: "Clone an existing pod, with its containers",
  args: [arg.one("POD", "pods"), arg.optional("NAME")],
  flags: {
    ...POD_CLONE_FLAGS,
    destroy: flag.bool("Remove the original pod"),
    start: flag.bool("Start the new pod"),
  },
  failureCode: 125,
  async run({ args: [source, name], flags, engine, out }) {
    const changes = changesOf(name, flags as Partial<FlagValues<typeof POD_FLAGS>>)
    const pods = await engine.pods()
    const { id } = await pods.clone(source, changes)
    // before the start: the clone publishes the same ports
    if (flags.destroy) await pods.remove(source, { force: true })
    if (flags.start) await pods.start(id)
    out.line(id)
  },
})

/** Only what was asked for: the rest is the old pod's. */
function changesOf(name: string | undefined, flags: Partial<FlagValues<typeof POD_FLAGS>>): PodOptions {
  const { exitPolicy: _, ...options } = podOptions(name, podFlagValues(flags))
  return Object.fromEntries(Object.entries(options).filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0
}
