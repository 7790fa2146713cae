import { readFileSync } from "node:fs"
import { isSkiffError, Unsupported } from "../../../base/errors.ts"
import { MAX_SECRET_BYTES } from "../../../secret/secret.ts"
import { parseKeyValue } from "../../../spec/docker/environment.ts"
import { callerEnvironment } from "../../../sys/process/caller-environment.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { fileFailure } from "../../file-failure.ts"
import { standardInput } from "../../../sys/terminal/standard-input.ts"

export default command({
  summary: "Create a secret from a file or standard input",
  args: [arg.one("SECRET"), arg.one("FILE|-")],
  flags: {
    driver: flag.string('Secret driver (default "file")', "string", { short: "d" }),
    driverOpts: flag.list(parseKeyValue, "Specify driver specific options", "map"),
    env: flag.bool("Read the secret from the environment variable that FILE names"),
    ignore: flag.bool("If a secret of that name exists, print its ID and leave it as it is"),
    label: flag.list(parseKeyValue, "Secret labels", "list", { short: "l" }),
    replace: flag.bool("If a secret of that name exists, replace it"),
    templateDriver: flag.string("Template driver (refused: no templates are expanded in secrets)"),
  },
  async run({ args: [name, source], flags, engine, out }) {
    const driver = flags.driver ?? "file"
    if (driver !== "file") throw new Unsupported(`no such secret driver: "${driver}"`, { hint: "valid: file" })
    if (flags.templateDriver !== undefined)
      throw new Unsupported("a secret cannot be a template: nothing is expanded in it", {
        hint: "leave --template-driver out",
      })
    const data = await readSecret(source, flags.env)
    const secrets = await engine.secrets()
    try {
      const labels = Object.fromEntries(flags.label)
      const driverOptions = Object.fromEntries(flags.driverOpts)
      out.line(secrets.create({ name, data, labels, driverOptions, replace: flags.replace }).id)
    } catch (error) {
      if (!flags.ignore || !isSkiffError(error, "AlreadyExists")) throw error
      out.line(secrets.get(name).id)
    }
  },
})

/** One byte too many is enough for the store to refuse it. */
async function readSecret(source: string, isVariable: boolean): Promise<Uint8Array> {
  if (isVariable) {
    const value = callerEnvironment()[source]
    if (value === undefined) throw new UsageError(`the environment variable "${source}" is not set`)
    return Buffer.from(value)
  }
  if (source === "-") return readInput()
  try {
    return readFileSync(source)
  } catch (cause) {
    throw new UsageError(`cannot read the secret's file "${source}": ${fileFailure(cause)}`, { cause })
  }
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of standardInput()) {
    chunks.push(chunk)
    if ((size += chunk.length) > MAX_SECRET_BYTES) break
  }
  return Buffer.concat(chunks)
}
