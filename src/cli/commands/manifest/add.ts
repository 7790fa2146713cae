import { Unsupported } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { refused } from "../../build/foreign-flag.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { ENTRY_FLAGS, entryChanges } from "../../manifest/entry-flags.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

const NO_ARTIFACTS = "artifacts are pushed by themselves, not as a part of a list"

export default command({
  summary: "Add images to a manifest list",
  args: [arg.one("LIST"), arg.some("IMAGE", "images")],
  flags: {
    ...REGISTRY_FLAGS,
    ...ENTRY_FLAGS,
    all: flag.bool("Of an index add every image, and not this machine's alone"),
    artifact: flag.bool("Add files as an artifact (refused)"),
    artifactConfig: refused(NO_ARTIFACTS),
    artifactConfigType: refused(NO_ARTIFACTS),
    artifactExcludeTitles: flag.bool("Without titles of the artifact's files (refused)"),
    artifactLayerType: refused(NO_ARTIFACTS),
    artifactSubject: refused(NO_ARTIFACTS),
    artifactType: refused(NO_ARTIFACTS),
  },
  failureCode: 125,
  async run({ args: [list, images], flags, engine, out }) {
    if (flags.artifact || flags.artifactExcludeTitles) throw new Unsupported(`${NO_ARTIFACTS} (--artifact)`)
    const lists = await engine.manifestLists()
    const options = { ...registryAccess(flags), ...entryChanges(flags), all: flags.all }
    for (const image of images) for (const digest of await lists.add(list, image, options)) out.line(digest)
  },
})
