import { VERSION } from "../../../base/version.ts"
import { hostPlatform } from "../../../spec/platform.ts"
import { command } from "../../command.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Show the skiff version information",
  args: [],
  flags: DOCUMENT_FORMAT_FLAGS,
  async run({ flags, out }) {
    const { os, architecture } = hostPlatform()
    const build = { Version: VERSION, BunVersion: process.versions.bun, Os: os, Arch: architecture }
    const format = flags.json ? "json" : flags.format
    if (format !== undefined) {
      const { printDocuments } = await import("../../output/document.ts")
      // docker's templates ask for a client and a server: here they are one
      return printDocuments(out, [{ ...build, Client: build, Server: build }], format)
    }
    out.line(`Version:      ${VERSION}\nBun version:  ${process.versions.bun}\nOS/Arch:      ${os}/${architecture}`)
  },
})
