import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { authfile } from "../../registry-flags.ts"
import { registryHost } from "../../registry-host.ts"

export default command({
  summary: "Log out from a registry",
  description: "Without a server it is docker.io.",
  args: [arg.optional("SERVER")],
  flags: {
    all: flag.bool("Remove the cached credentials for all registries", { short: "a" }),
    authfile,
    compatAuthFile: flag.string("Forget those in this file of Docker's form instead", "file"),
  },
  async run({ args: [server], flags, engine, out, dialect }) {
    if (flags.all && server !== undefined)
      throw new InvalidArgument(`--all takes no server: "${server}"`, { hint: "give one of the two" })
    const registries = await engine.registries()
    if (flags.authfile !== undefined && flags.compatAuthFile !== undefined)
      throw new InvalidArgument("--authfile and --compat-auth-file are mutually exclusive")
    const authFile = flags.compatAuthFile ?? flags.authfile
    const { logouts } = dialect.results
    if (flags.all) {
      for (const registry of await registries.loggedIn({ authFile })) {
        const wasThere = await registries.logout(registry, { authFile })
        if (logouts.all === undefined) out.line(logouts.done(registry, wasThere))
      }
      if (logouts.all !== undefined) out.line(logouts.all)
      return
    }
    const registry = registryHost(server)
    const wasThere = await registries.logout(registry, { authFile })
    if (!wasThere && logouts.missingFails) throw new NotFound(`not logged in to ${registry}`)
    out.line(logouts.done(registry, wasThere))
  },
})
