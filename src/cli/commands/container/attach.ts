import { FailedPrecondition } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainer } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { checkStandardInput } from "../../terminal/check-input.ts"
import { parseDetachKeys } from "../../terminal/detach-keys.ts"
import { joinContainer } from "../../terminal/join-container.ts"

export default command({
  summary: "Attach local standard input, output, and error streams to a running container",
  args: [arg.one("CONTAINER", "running", { unless: ["latest"] })],
  flags: {
    detachKeys: flag.of(parseDetachKeys, "Override the key sequence for detaching a container", "string"),
    latest: CHOICE_FLAGS.latest,
    noStdin: flag.bool("Do not attach STDIN"),
    sigProxy: flag.bool("Proxy all received signals to the process", { initial: true }),
  },
  async run({ args: [given], flags, engine }) {
    const containers = await engine.containers()
    const name = chooseContainer(containers, given, flags)
    const { id, options, state } = containers.get(name)
    const data = { object: "container", name, id, status: state.status }
    if (state.status === "paused")
      throw new FailedPrecondition("cannot attach to a paused container", {
        hint: `unpause it: skiff unpause ${name}`,
        data,
      })
    if (state.status !== "running")
      throw new FailedPrecondition("cannot attach to a stopped container", {
        hint: `start it: skiff start -a ${name}`,
        data,
      })
    const stdin = options.stdin && !flags.noStdin
    checkStandardInput({ tty: options.tty, stdin })
    const join = (hearSignals: () => void) => {
      hearSignals()
      return containers.attach(name, { stdin })
    }
    return joinContainer(containers, join, { ...flags, tty: options.tty, stdin })
  },
})
