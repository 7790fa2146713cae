/** What the tests of this domain share: a store of their own, a root of busybox and host libraries, real containers. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { OciConfig } from "../spec/oci-runtime.ts"
import { detectCgroups, removeCgroup } from "../sys/process/cgroup.ts"
import { removeSharedDirectory } from "../sys/fs/remove-shared-directory.ts"
import { findProgram } from "../sys/host.ts"
import { chooseRuntime } from "./oci/choose.ts"
import { configInput } from "./config/config-input.suite.ts"
import { openRuntimes } from "./open.ts"
import type {
  Attachment,
  ConfigInput,
  ExecProcessInput,
  Monitor,
  MonitorOptions,
  Runtime,
  Runtimes,
} from "./runtime.ts"

const BUSYBOX = "/bin/busybox"

/** Why containers cannot be run here with the runtime `name`; false when they can. */
export function whyNot(name: string): string | false {
  if (process.getuid?.() !== 0) return "not root"
  if (!existsSync(BUSYBOX)) return "no busybox-static"
  if (findProgram("conmon") === undefined) return "no conmon"
  if (findProgram(name) === undefined) return `no ${name}`
  const choice = chooseRuntime(detectCgroups())
  return name === "crun" && choice.name !== "crun" ? choice.reason : false
}

/** What holds for a container holds by each of them. */
export const OCI_RUNTIMES = ["crun", "runc"] as const

/** The runtime that the engine would take here. */
export const HOST_RUNTIME = chooseRuntime(detectCgroups()).name

export interface Output {
  code: number
  stdout: string
  stderr: string
}

export class Lab implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "skiff-runtime-"))
  readonly rootfs = join(this.directory, "rootfs")
  readonly runtimes: Runtimes
  readonly #containers: LabContainer[] = []
  #count = 0

  constructor(readonly runtimeName: string = HOST_RUNTIME) {
    for (const directory of ["bin", "etc", "proc", "sys", "dev", "tmp", "usr"])
      mkdirSync(join(this.rootfs, directory), { recursive: true })
    copyFileSync(BUSYBOX, join(this.rootfs, "bin/busybox"))
    for (const applet of APPLETS) symlinkSync("busybox", join(this.rootfs, "bin", applet))
    for (const lib of ["lib", "lib64"]) symlinkSync(`usr/${lib}`, join(this.rootfs, lib))
    this.runtimes = openRuntimes({ root: join(this.directory, "root"), runRoot: join(this.directory, "run") })
  }

  /** The configuration of `argv` with docker's defaults. */
  input(argv: readonly string[], changes: Partial<ConfigInput> = {}): ConfigInput {
    return configInput({ id: `lab${process.pid}x${this.#count++}`, rootfs: this.rootfs, argv, ...changes })
  }

  /** A container in state `created`. */
  async create(
    argv: readonly string[],
    changes: Partial<ConfigInput> = {},
    monitorChanges: Partial<MonitorOptions> = {},
  ): Promise<LabContainer> {
    const input = this.input(argv, changes)
    const runtime = await this.runtimes.choose(this.runtimeName)
    const bundle = this.runtimes.bundle(input.id)
    mkdirSync(bundle.directory, { recursive: true, mode: 0o700 })
    mkdirSync(bundle.exitDirectory, { recursive: true, mode: 0o700 })
    const config = await this.runtimes.config(input, runtime)
    using pending = await this.runtimes.startMonitor({
      id: input.id,
      name: input.id,
      bundle,
      runtime,
      log: { driver: "none" },
      tty: input.tty,
      stdin: false,
      exitCommand: [],
      ...monitorChanges,
    })
    const monitor = await pending.create(config)
    const container = new LabContainer(this.runtimes, runtime, config, monitor, input.id)
    this.#containers.push(container)
    return container
  }

  /** Runs to the end; gives the exit code and all output. */
  async run(argv: readonly string[], changes: Partial<ConfigInput> = {}): Promise<Output> {
    const container = await this.create(argv, changes)
    return container.finish()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const container of this.#containers) await container.remove()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

const APPLETS = "cat dd grep head id ls md5sum mount pwd sh sleep stty tee touch true tty unshare yes".split(" ")

export class LabContainer {
  constructor(
    readonly runtimes: Runtimes,
    readonly runtime: Runtime,
    readonly config: OciConfig,
    readonly monitor: Monitor,
    readonly id: string,
  ) {}

  get bundle() {
    return this.runtimes.bundle(this.id)
  }

  /** Attaches, starts, and waits for the end. */
  async finish(): Promise<Output> {
    const attachment = await this.runtimes.attach(this.bundle, { stdin: false })
    const output = gather(attachment)
    await this.runtime.start(this.id)
    const code = await this.monitor.exited
    await attachment.closed
    return { code, ...output() }
  }

  async exec(argv: readonly string[], changes: Partial<ExecProcessInput> = {}): Promise<Output> {
    const directory = mkdtempSync(`${this.bundle.directory}/exec-`)
    try {
      const exec = await this.runtimes.exec({
        id: this.id,
        process: () =>
          this.runtimes.execProcess(this.config, { argv, env: [], tty: false, privileged: false, ...changes }),
        tty: changes.tty ?? false,
        stdin: false,
        detach: false,
        runtime: this.runtime,
        bundle: this.bundle,
        directory,
      })
      if (exec.attachment === undefined) throw new Error("no attachment")
      const output = gather(exec.attachment)
      const code = await exec.exited
      await exec.attachment.closed
      return { code, ...output() }
    } finally {
      removeSharedDirectory(directory) // the caller removes it, and a failed start did
    }
  }

  async remove(): Promise<void> {
    await this.runtime.delete(this.id, { force: true })
    removeCgroup(this.id, detectCgroups())
  }
}

/** Collects what an attachment gives; call the result for what there is so far. */
export function gather(attachment: Attachment): () => { stdout: string; stderr: string } {
  const chunks: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] }
  // the buffer is the socket's own: it is kept as a copy
  attachment.onOutput((stream, chunk) => void chunks[stream].push(Uint8Array.from(chunk)))
  return () => ({ stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString() })
}
