import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { authfile } from "../../registry-flags.ts"
import { registryHost } from "../../registry-host.ts"

export default command({
  summary: "Log out from a registry",
  description: "Without a server it is docker.io.",
  args: [arg.optional("SERVER")],
  flags: { authfile },
  async run({ args: [server], flags, engine, out }) {
    const registry = registryHost(server)
    const registries = await engine.registries()
    const wasThere = await registries.logout(registry, { authFile: flags.authfile })
    out.line(wasThere ? `Removing login credentials for ${registry}` : `Not logged in to ${registry}`)
  },
})
