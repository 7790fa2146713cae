import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Disconnect a container from a network",
  args: [arg.one("NETWORK", "networks"), arg.one("CONTAINER", "containers")],
  flags: {
    force: flag.bool("Force the container to disconnect from a network: also from one that is gone", { short: "f" }),
  },
  async run({ args: [network, container], flags: { force }, engine }) {
    const containers = await engine.containers()
    await containers.disconnect(container, network, { force })
  },
})
