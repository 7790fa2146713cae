import { secretDocument } from "../../../docker/secret-document.ts"
import type { Secret } from "../../../secret/secret.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"
import { inspectEach } from "../../inspect-each.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display detailed information on one or more secrets",
  args: [arg.some("SECRET", "secrets")],
  flags: {
    ...DOCUMENT_FORMAT_FLAGS,
    pretty: flag.bool("Print the information in a human friendly format"),
    showsecret: flag.bool("Show the secret itself, too"),
  },
  async run({ args: [names], flags, ...context }) {
    const secrets = await context.engine.secrets()
    const dataOf = (secret: Secret) => (flags.showsecret ? secrets.read(secret.id) : undefined)
    if (flags.pretty)
      return forEachName(names, context, (name) => {
        const secret = secrets.get(name)
        return prettyText(secret, dataOf(secret))
      })
    return inspectEach(names, flags, context, (name) => {
      const secret = secrets.get(name)
      return secretDocument(secret, dataOf(secret))
    })
  },
})

function prettyText(secret: Secret, data: Uint8Array | undefined): string {
  const labels = Object.entries(secret.labels).map(([key, value]) => ` - ${key}=${value}`)
  return [
    `ID:              ${secret.id}`,
    `Name:            ${secret.name}`,
    ...(labels.length === 0 ? [] : ["Labels:", ...labels]),
    `Driver:          ${secret.driver}`,
    `Created at:      ${secret.createdAt.toISOString()}`,
    `Updated at:      ${secret.updatedAt.toISOString()}`,
    ...(data === undefined ? [] : [`Secret:          ${Buffer.from(data).toString("utf8")}`]),
  ].join("\n")
}
