import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { isTerminal } from "../../../sys/terminal/terminal.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { askLine, askSecret } from "../../ask.ts"
import { authfile, REGISTRY_FLAGS, tlsVerify } from "../../registry-flags.ts"
import { registryHost } from "../../registry-host.ts"
import { standardInput } from "../../terminal/standard-input.ts"

const MAX_PASSWORD_BYTES = 64 * 1024

export default command({
  summary: "Authenticate to a registry",
  description: "Without a server it is docker.io.",
  args: [arg.optional("SERVER")],
  flags: {
    authfile,
    certDir: REGISTRY_FLAGS.certDir,
    getLogin: flag.bool("Return the current login user for the registry"),
    password: flag.string("Password", "string", { short: "p" }),
    passwordStdin: flag.bool("Take the password from stdin"),
    tlsVerify,
    verbose: flag.bool("Show where the credentials are stored", { short: "v" }),
    username: flag.string("Username", "string", { short: "u" }),
  },
  examples: ["skiff login -u anna registry.example", "echo $TOKEN | skiff login -u ci --password-stdin ghcr.io"],
  async run({ args: [server], flags, engine, out }) {
    const registry = registryHost(server)
    const registries = await engine.registries()
    const { authfile: authFile, certDir } = flags
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
    if (!isInteractive && !flags.passwordStdin && (flags.username === undefined || flags.password === undefined))
      throw new InvalidArgument("cannot ask for user name and password: standard input is not a terminal", {
        hint: "give --username and --password-stdin",
      })
    const username = flags.username ?? (await askLine("Username: "))
    const password = flags.password ?? (flags.passwordStdin ? await passwordFromInput() : await askSecret("Password: "))
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
