import { arg } from "../../args.ts"
import { attachTo } from "../../attach-to.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"
import { parseDetachKeys } from "../../terminal/detach-keys.ts"

export default composeCommand({
  summary: "Attach local standard input, output, and error streams to a service's running container",
  args: [arg.one("SERVICE", "services")],
  flags: {
    detachKeys: flag.of(parseDetachKeys, "Override the key sequence for detaching from a container", "string"),
    index: flag.int("Index of the container if service has multiple replicas"),
    noStdin: flag.bool("Do not attach STDIN"),
    sigProxy: flag.bool("Proxy all received signals to the process", { initial: true }),
  },
  endsAsProgram: true,
  async run({ args: [service], flags, compose, engine }) {
    const name = await compose.name()
    const { container } = await (await compose.compose()).container(name, service, { index: flags.index || undefined })
    if (compose.isDryRun) return 0
    return attachTo(await engine.containers(), container.id, flags)
  },
})
