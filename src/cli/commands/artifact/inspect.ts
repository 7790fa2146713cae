import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { printDocuments } from "../../output/document.ts"
import { withGoNames } from "../../../podman/go-names.ts"

export default command({
  summary: "Display the manifest of an artifact",
  args: [arg.one("ARTIFACT")],
  flags: { format: flag.string("Format the output as JSON or by a Go template", "string", { short: "f" }) },
  failureCode: 125,
  async run({ args: [text], flags, engine, out }) {
    const artifacts = await engine.artifacts()
    const artifact = artifacts.get(text)
    const { name, digest } = artifact
    const document = { Manifest: await artifacts.manifest(artifact), Name: name, Digest: digest }
    if (flags.format === undefined || flags.format === "json") return out.line(JSON.stringify(document, null, 4))
    // templates name the fields as Go does
    printDocuments(out, [withGoNames(document) as object], flags.format)
  },
})
