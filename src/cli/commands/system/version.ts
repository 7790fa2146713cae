import { VERSION } from "../../../base/version.ts"
import { hostPlatform } from "../../../spec/platform.ts"
import { command } from "../../command.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Show the skiff version information",
  args: [],
  flags: DOCUMENT_FORMAT_FLAGS,
  async run({ flags, out, dialect }) {
    const { os, architecture } = hostPlatform()
    const facts = { version: VERSION, bun: process.versions.bun, os, architecture }
    const { document, text } = (await dialect.version())(facts)
    const format = flags.json ? "json" : flags.format
    if (format === undefined) return out.line(text)
    const { printDocuments } = await import("../../output/document.ts")
    return printDocuments(out, [document], format)
  },
})
