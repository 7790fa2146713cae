import { isSkiffError } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { parseKeyValue } from "../../../spec/docker/environment.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Create a manifest list, of the images that are named",
  args: [arg.one("LIST"), arg.rest("[IMAGE...]", "images")],
  flags: {
    ...REGISTRY_FLAGS,
    all: flag.bool("Of an index add every image, and not this machine's alone"),
    amend: flag.bool("Add to a list that is there already", { short: "a" }),
    annotation: flag.list(parseKeyValue, "Set an annotation of the list", "KEY=VALUE"),
    insecure: flag.bool("Allow communication with an insecure registry"),
  },
  failureCode: 125,
  async run({ args: [list, images], flags, engine, out, dialect }) {
    const lists = await engine.manifestLists()
    const annotations = Object.fromEntries(flags.annotation)
    try {
      lists.create(list, { annotations })
    } catch (error) {
      if (!flags.amend || !isSkiffError(error, "AlreadyExists")) throw error
      lists.annotateList(list, { annotations })
    }
    const access = { ...registryAccess(flags), ...(flags.insecure && { tlsVerify: false }) }
    for (const image of images) await lists.add(list, image, { ...access, all: flags.all })
    const { name } = lists.get(list)
    out.line(dialect.name === "podman" ? name : `Created manifest list ${name}`)
  },
})
