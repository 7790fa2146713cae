import { parseReference, remoteReference } from "../../../image/image.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "List the tags of a repository at a registry, as JSON",
  args: [arg.one("docker://REPOSITORY")],
  flags: REGISTRY_FLAGS,
  examples: ["skiff image list-tags docker://registry.example/team/app"],
  async run({ args: [name], flags, engine, out }) {
    const { registry, repository } = remoteReference(name)
    const names = await (await engine.images()).tagsAt(`${registry}/${repository}`, registryAccess(flags))
    const tags = names.map((each) => parseReference(each).tag)
    out.line(JSON.stringify({ Repository: `${registry}/${repository}`, Tags: tags }, null, 4))
  },
})
