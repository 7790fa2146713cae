import { arg } from "../../args.ts"
import { attachTo } from "../../attach-to.ts"
import { CHOICE_FLAGS, chooseContainer } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { parseDetachKeys } from "../../terminal/detach-keys.ts"

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
    return attachTo(containers, chooseContainer(containers, given, flags), flags)
  },
})
