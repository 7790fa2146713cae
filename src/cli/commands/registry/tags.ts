import { parseReference } from "../../../image/image.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"
import { withoutTransport } from "../../registry/without-transport.ts"

export default command({
  summary: "List the tags of a repository at a registry",
  args: [arg.one("REPOSITORY")],
  flags: REGISTRY_FLAGS,
  examples: ["skiff registry tags registry.example/team/app"],
  async run({ args: [name], flags, engine, out }) {
    const names = await (await engine.images()).tagsAt(withoutTransport(name), registryAccess(flags))
    for (const each of names) out.line(parseReference(each).tag ?? "")
  },
})
