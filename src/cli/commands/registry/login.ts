import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import type { Engine } from "../../../engine/engine.ts"
import { isTerminal } from "../../../sys/terminal/terminal.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { askLine, askSecret } from "../../ask.ts"
import { authfile, REGISTRY_FLAGS, tlsVerify } from "../../registry-flags.ts"
import { registryHost } from "../../registry-host.ts"
import { standardInput } from "../../../sys/terminal/standard-input.ts"

const MAX_PASSWORD_BYTES = 64 * 1024

export default command({
  summary: "Authenticate to a registry",
  description: "Without a server it is docker.io.",
  args: [arg.optional("SERVER")],
  flags: {
    authfile,
    certDir: REGISTRY_FLAGS.certDir,
    compatAuthFile: flag.string("Keep them in this file of Docker's form instead", "file"),
    getLogin: flag.bool("Return the current login user for the registry"),
    password: flag.string("Password", "string", { short: "p" }),
    passwordStdin: flag.bool("Take the password from stdin"),
    secret: flag.string("Take the password from a secret of the store, and its name for the user's", "name"),
    tlsVerify,
    verbose: flag.bool("Show where the credentials are stored", { short: "v" }),
    username: flag.string("Username", "string", { short: "u" }),
  },
  examples: ["skiff login -u anna registry.example", "echo $TOKEN | skiff login -u ci --password-stdin ghcr.io"],
  async run({ args: [server], flags, engine, out }) {
    const registry = registryHost(server)
    const registries = await engine.registries()
    const { certDir } = flags
    if (flags.authfile !== undefined && flags.compatAuthFile !== undefined)
      throw new InvalidArgument("--authfile and --compat-auth-file are mutually exclusive")
    const authFile = flags.compatAuthFile ?? flags.authfile
    if (flags.secret !== undefined && (flags.passwordStdin || flags.password !== undefined))
      throw new InvalidArgument("--secret and --password or --password-stdin are mutually exclusive")
    if (flags.getLogin) {
      const user = await registries.userOf(registry, { authFile })
      if (user === undefined) throw new NotFound(`not logged in to ${registry}`)
      return out.line(user)
    }
    if (flags.passwordStdin && flags.password !== undefined)
      throw new InvalidArgument("--password and --password-stdin are mutually exclusive")
    if (flags.passwordStdin && flags.username === undefined)
      throw new InvalidArgument("must provide --username with --password-stdin")
    if (flags.password !== undefined)
      out.note("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    const isInteractive = isTerminal(0)
    const isAsking = !flags.passwordStdin && flags.secret === undefined
    if (!isInteractive && isAsking && (flags.username === undefined || flags.password === undefined))
      throw new InvalidArgument("cannot ask for user name and password: standard input is not a terminal", {
        hint: "give --username and --password-stdin",
      })
    const username = flags.username ?? flags.secret ?? (await askLine("Username: "))
    const password = flags.password ?? (await passwordOf(flags, engine))
    if (username === "" || password === "") throw new InvalidArgument("user name and password must not be empty")
    const { keptIn, isHelper } = await registries.login(registry, {
      username,
      password,
      authFile,
      certDir,
      tlsVerify: flags.tlsVerify,
    })
    if (!isHelper)
      out.note(`WARNING! Your password is stored unencrypted in '${keptIn}'. A credential helper keeps it better.`)
    else if (flags.verbose) out.note(`The password is kept by the helper ${keptIn}`)
    out.line("Login Succeeded")
  },
})

async function passwordOf(
  { secret, passwordStdin }: { secret: string | undefined; passwordStdin: boolean },
  engine: Engine,
): Promise<string> {
  if (secret !== undefined) return Buffer.from((await engine.secrets()).read(secret)).toString()
  return passwordStdin ? passwordFromInput() : askSecret("Password: ")
}

async function passwordFromInput(): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of standardInput()) {
    chunks.push(chunk)
    if ((length += chunk.length) > MAX_PASSWORD_BYTES) throw new InvalidArgument("the password on stdin is too long")
  }
  return Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, "")
}
