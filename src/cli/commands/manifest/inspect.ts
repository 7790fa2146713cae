import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { remoteManifest } from "../../manifest/remote-manifest.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Display a manifest list, or the manifest of an image at a registry",
  args: [arg.one("LIST")],
  flags: {
    ...REGISTRY_FLAGS,
    insecure: flag.bool("Allow communication with an insecure registry"),
    verbose: flag.bool("Output additional info including layers and platform", { short: "v" }),
  },
  failureCode: 125,
  async run({ args: [name], flags, engine, out, dialect }) {
    const lists = await engine.manifestLists()
    const list = lists.find(name)
    const indent = dialect.name === "podman" ? 4 : "\t"
    if (list !== undefined) return out.line(JSON.stringify(lists.index(list), null, indent))
    const access = { ...registryAccess(flags), ...(flags.insecure && { tlsVerify: false }) }
    const remote = await remoteManifest(await engine.registries(), name, access)
    out.line(JSON.stringify(flags.verbose ? await remote.verbose() : remote.document, null, indent))
  },
})
