/** Keys, a policy and places of signatures, for skiff and skopeo alike. */
import { spawnSync } from "node:child_process"
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { user } from "./user.ts"
import { eventually } from "./wait.ts"

/** What a signal takes that is heard at once, where others have the processor. */
const END_MS = 30_000

/** One user's files on trust, below a directory of the test's. */
export class SigningHome {
  readonly directory: string
  /** XDG_CONFIG_HOME. */
  readonly config: string
  readonly gnupg: string
  readonly lookaside: string
  readonly policyFile: string

  constructor(home: string) {
    this.directory = mkdtempSync(join(home, "signing-"))
    this.config = this.#directory("config")
    this.#directory("config/containers")
    this.#directory("config/containers/registries.d")
    this.gnupg = this.#directory("gnupg", 0o700)
    this.lookaside = this.#directory("lookaside")
    this.policyFile = join(this.config, "containers/policy.json")
    chownSync(this.directory, user.uid, user.gid)
    this.registriesD({ lookaside: `file://${this.lookaside}`, "use-sigstore-attachments": true })
  }

  get env(): Record<string, string> {
    return { XDG_CONFIG_HOME: this.config, GNUPGHOME: this.gnupg }
  }

  registriesD(fields: Record<string, unknown>): void {
    this.write("config/containers/registries.d/default.yaml", JSON.stringify({ "default-docker": fields }))
  }

  policy(docker: Record<string, unknown>, others: Record<string, unknown> = {}): void {
    const transports = { docker, ...others }
    this.write("config/containers/policy.json", JSON.stringify({ default: [{ type: "reject" }], transports }))
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.directory, name)
    writeFileSync(path, content)
    chownSync(path, user.uid, user.gid)
    return path
  }

  /** A key in the user's keyring, and its public half in a file. */
  gpgKey(name: string, expires = "never"): { fingerprint: string; file: string } {
    const id = `${name} <${name}@tests.example>`
    this.asUser("gpg", "--batch", "--passphrase", "", "--quick-generate-key", id, "rsa2048", "sign", expires)
    const listed = this.asUser("gpg", "--batch", "--with-colons", "--list-keys", `${name}@tests.example`)
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listed.toString())?.[1] ?? ""
    return { fingerprint, file: this.write(`${name}.gpg`, this.asUser("gpg", "--batch", "--export", fingerprint)) }
  }

  /** Output of a program that the user runs; throws when it fails. */
  asUser(...words: string[]): Buffer {
    const env = { ...user.env, ...this.env }
    const [program = "", ...args] = [...user.prefix, ...words]
    const { status, stdout, stderr } = spawnSync(program, args, { env, cwd: this.directory })
    if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr.toString()}`)
    return stdout
  }

  /** Skopeo with the same policy and places; its exit code and messages. */
  skopeo(verb: string, ...words: string[]): { code: number | null; stderr: string } {
    const places = ["--policy", this.policyFile, "--registries.d", join(this.config, "containers/registries.d")]
    const [program = "", ...args] = [...user.prefix, "skopeo", ...places, verb, ...words]
    const { status, stderr } = spawnSync(program, args, { env: { ...user.env, ...this.env }, cwd: this.directory })
    return { code: status, stderr: stderr.toString() }
  }

  /**
   * GnuPG's agent outlives who asked it. By a signal: told by its socket it ends at the next tick of its clock, after four seconds and
   * on a busy machine after more.
   */
  async close(): Promise<void> {
    for (const pid of agentsOf(this.gnupg)) process.kill(pid, "SIGTERM")
    await eventually(() => agentsOf(this.gnupg).length === 0, END_MS)
  }

  #directory(name: string, mode = 0o755): string {
    const path = join(this.directory, name)
    mkdirSync(path, { mode })
    chownSync(path, user.uid, user.gid)
    return path
  }
}

function agentsOf(gnupg: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const [program = "", ...words] = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0")
      return program.endsWith("gpg-agent") && words.includes(gnupg) ? [Number(name)] : []
    } catch {
      return [] // ended meanwhile
    }
  })
}
