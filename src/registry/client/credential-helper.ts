import { InvalidArgument, NotFound, PermissionDenied } from "../../base/errors.ts"

/** A user and password, or the identity token that an OAuth login left. */
export type Credentials = { username: string; password: string } | { username: string; identityToken: string }

/** What helpers know docker.io by. */
export const DOCKER_HUB_KEY = "https://index.docker.io/v1/"

const TIMEOUT_MS = 60_000
const MAX_OUTPUT = 1024 ** 2

/** A program that keeps passwords (docker-credential-helpers protocol), as an auth file names it. */
export class CredentialHelper {
  readonly program: string
  readonly #registry: string
  readonly #file: string

  /** Throws InvalidArgument when `name` could be more than the end of a program's name. */
  constructor(name: string, registry: string, file: string) {
    if (!/^[\w.-]+$/.test(name)) throw new InvalidArgument(`"${file}" names an invalid credential helper "${name}"`)
    this.program = `docker-credential-${name}`
    this.#registry = registry
    this.#file = file
  }

  get #key(): string {
    return this.#registry === "docker.io" ? DOCKER_HUB_KEY : this.#registry
  }

  /** Undefined when it has none. */
  async get(signal?: AbortSignal): Promise<Credentials | undefined> {
    const { code, output } = await this.#run("get", this.#key, signal)
    if (code === 0) return parseOutput(output, this.program)
    if (/credentials not found/i.test(output)) return undefined
    throw this.#failure(code)
  }

  async store(username: string, password: string, signal?: AbortSignal): Promise<void> {
    const { code } = await this.#run(
      "store",
      JSON.stringify({ ServerURL: this.#key, Username: username, Secret: password }),
      signal,
    )
    if (code !== 0) throw this.#failure(code)
  }

  /** False when there was nothing to erase. */
  async erase(signal?: AbortSignal): Promise<boolean> {
    const { code, output } = await this.#run("erase", this.#key, signal)
    if (code === 0) return true
    if (/credentials not found/i.test(output)) return false
    throw this.#failure(code)
  }

  async #run(verb: string, input: string, signal: AbortSignal | undefined): Promise<{ code: number; output: string }> {
    const { spawn } = await import("node:child_process")
    signal?.throwIfAborted()
    const child = spawn(this.program, [verb], { stdio: ["pipe", "pipe", "ignore"], timeout: TIMEOUT_MS, signal })
    const ended = new Promise<number>((resolve, reject) =>
      child.once("error", reject).once("close", (code) => resolve(code ?? 1)),
    )
    child.stdin.on("error", () => {}) // it may end without reading
    child.stdin.end(input)
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text
      if (output.length > MAX_OUTPUT) child.kill()
    })
    const code = await ended.catch((cause: unknown) => {
      signal?.throwIfAborted()
      throw new NotFound(
        `the credential helper "${this.program}", which "${this.#file}" names for ${this.#registry}, cannot be run`,
        { cause, hint: `install ${this.program}, or take it out of ${this.#file}` },
      )
    })
    return { code, output }
  }

  #failure(code: number): PermissionDenied {
    return new PermissionDenied(
      `the credential helper "${this.program}" failed for ${this.#registry} with exit code ${code}`,
    )
  }
}

function parseOutput(output: string, program: string): Credentials | undefined {
  try {
    const { Username: username, Secret: secret } = JSON.parse(output) as { Username?: unknown; Secret?: unknown }
    if (typeof username === "string" && typeof secret === "string") {
      if (username === "" && secret === "") return undefined
      return username === "<token>" ? { username, identityToken: secret } : { username, password: secret }
    }
  } catch {
    // its output may hold the secret: not quoted
  }
  throw new InvalidArgument(`the credential helper "${program}" did not answer with Username and Secret`)
}
