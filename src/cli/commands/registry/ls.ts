import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"
import { registryHost } from "../../registry-host.ts"
import { withoutTransport } from "../../registry/without-transport.ts"

export default command({
  summary: "List the repositories of a registry",
  args: [arg.one("REGISTRY")],
  flags: REGISTRY_FLAGS,
  examples: ["skiff registry ls registry.example:5000"],
  async run({ args: [name], flags, engine, out }) {
    const registries = await engine.registries()
    const registry = registryHost(withoutTransport(name))
    for (const repository of await registries.repositories(registry, registryAccess(flags)))
      out.line(`${registry}/${repository}`)
  },
})
