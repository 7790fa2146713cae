import { InvalidArgument } from "../../../base/errors.ts"
import type { Containers } from "../../../container/container.ts"
import type { Compose, OneOff, Project, ProjectContainer, RunOptions, RunRequest } from "../../../compose/compose.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import type { ComposeSession } from "../../compose/compose-session.ts"
import { UpDisplay } from "../../compose/up-display.ts"
import { unlessIgnored } from "../../each.ts"
import type { Out } from "../../out.ts"
import { warnOfOrphans } from "../../compose/up-flags.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { readBoolean } from "../../../spec/docker/boolean.ts"
import { checkStandardInput } from "../../terminal/check-input.ts"
import { joinContainer } from "../../terminal/join-container.ts"

export default composeCommand({
  summary: "Run a one-off command on a service",
  args: [arg.one("SERVICE", "services"), arg.rest("[COMMAND] [ARGS...]")],
  flags: {
    build: flag.bool("Build image before starting container"),
    capAdd: flag.strings("Add Linux capabilities"),
    capDrop: flag.strings("Drop Linux capabilities"),
    detach: flag.bool("Run container in background and print container ID", { short: "d" }),
    entrypoint: flag.string("Override the entrypoint of the image"),
    env: flag.strings("Set environment variables", "stringArray", { short: "e" }),
    envFromFile: flag.strings("Set environment variables from file", "stringArray"),
    interactive: flag.bool("Keep STDIN open even if not attached", { short: "i", initial: true }),
    label: flag.list(readLabel, "Add or override a label", "stringArray", { short: "l", aliases: ["labels"] }),
    name: flag.string("Assign a name to the container"),
    noTTY: flag.bool("Disable pseudo-TTY allocation (default: auto-detected)", { short: "T", aliases: ["no-tty"] }),
    noDeps: flag.bool("Don't start linked services"),
    publish: flag.strings("Publish a container's port(s) to the host", "stringArray", { short: "p" }),
    pull: flag.choice(
      ["always", "missing", "never", "build"],
      'Pull image before running ("always"|"missing"|"never")',
    ),
    quiet: flag.bool("Don't print anything to STDOUT", { short: "q" }),
    quietBuild: flag.bool("Suppress progress output from the build process"),
    quietPull: flag.bool("Pull without printing progress information"),
    removeOrphans: flag.bool("Remove containers for services not defined in the Compose file"),
    rm: flag.bool("Automatically remove the container when it exits"),
    servicePorts: flag.bool("Run command with all service's ports enabled and mapped to the host", { short: "P" }),
    tty: { ...flag.of(readBoolean, "Allocate a pseudo-TTY", "", { short: "t", hidden: true }), bare: "true" },
    useAliases: flag.bool("Use the service's network useAliases in the network(s) the container connects to"),
    user: flag.string("Run as specified username or uid", "string", { short: "u" }),
    volume: flag.strings("Bind mount a volume", "stringArray", { short: "v", aliases: ["volumes"] }),
    workdir: flag.string("Working directory inside the container", "string", { short: "w" }),
  },
  flagsBeforeWords: true,
  async run({ args: [service, words], flags, compose, engine, out }) {
    if (flags.publish.length > 0 && flags.servicePorts)
      throw new UsageError("--service-ports and --publish are incompatible", {}, 1)
    if (flags.tty === true && flags.noTTY) throw new UsageError("--tty and --no-TTY can't be used together", {}, 1)
    const wantsTty = flags.tty ?? (!flags.noTTY && out.stdoutIsTerminal)
    const tty = wantsTty && !flags.noTTY
    const stdin = flags.interactive
    if (!flags.detach) checkStandardInput({ tty, stdin })
    const project = await compose.project([service])
    const request: RunRequest = {
      service,
      command: words,
      entrypoint: flags.entrypoint,
      env: flags.env,
      envFiles: flags.envFromFile,
      name: flags.name,
      user: flags.user,
      workdir: flags.workdir,
      labels: Object.fromEntries(flags.label),
      volumes: flags.volume,
      ports: flags.publish,
      servicePorts: flags.servicePorts,
      useAliases: flags.useAliases,
      capAdd: flags.capAdd,
      capDrop: flags.capDrop,
      tty,
      stdin,
      autoRemove: flags.rm,
    }
    const { build, pull, quietPull, removeOrphans, noDeps: withoutDependencies } = flags
    const compatibility = compose.separator === "_"
    const own = { build, pull, quietPull, removeOrphans, onOrphans: tellOrphans, withoutDependencies, compatibility }
    const made = await makeOneOff(compose, project, request, own, flags)
    if (made.container === undefined) return 0
    const containers = await engine.containers()
    const verbs = await compose.compose()
    return await startOneOff({ containers, verbs, made }, { tty, stdin, detach: flags.detach, rm: flags.rm, out })
  },
})

/** With a display as `up` has it. Interrupted, it ends in order; the next one goes on. */
async function makeOneOff(
  compose: ComposeSession,
  project: Project,
  request: RunRequest,
  own: RunOptions,
  { quiet, quietBuild }: { quiet: boolean; quietBuild: boolean },
): Promise<OneOff> {
  const domain: Compose = await compose.compose()
  using interrupt = new AbortOnInterrupt()
  using display = await UpDisplay.open(compose, "Running", { build: quietBuild || quiet })
  const shown = { ...compose.verbOptions(display), onBuildEvent: display.onBuildEvent, signal: interrupt.signal }
  try {
    return await domain.createOneOff(project, request, { ...shown, ...own, ...(quiet && { onEvent: undefined }) })
  } catch (error) {
    display.explainFailure()
    throw error
  }
}

interface Started {
  containers: Containers
  verbs: Compose
  made: OneOff
}

/** Joins it until it ends, or prints its id; gives its exit code. */
async function startOneOff(
  { containers, verbs, made: { container, postStart } }: Started,
  {
    tty,
    stdin,
    detach,
    rm,
    out,
  }: { tty: boolean; stdin: boolean; detach: boolean; rm: boolean; out: Pick<Out, "line"> },
): Promise<number> {
  if (container === undefined) return 0
  const { id } = container
  let hooks: Promise<void> = Promise.resolve()
  const join = async (hearSignals: () => void) => {
    hearSignals()
    const started = await containers.start(id, { attach: !detach }).catch(async (error: unknown) => {
      if (rm) await unlessIgnored(true, () => containers.remove(id, { force: true, volumes: true }))
      throw error
    })
    if (postStart.length > 0) hooks = verbs.postStart(container, postStart)
    hooks.catch(() => {}) // thrown below
    return started
  }
  const code = await joinContainer(containers, join, { tty, stdin: stdin && !detach, sigProxy: !detach })
  await hooks
  if (detach) out.line(id)
  return code
}

function tellOrphans(orphans: readonly ProjectContainer[]): void {
  warnOfOrphans({ orphans, removesOrphans: false })
}

function readLabel(text: string): [string, string] {
  const at = text.indexOf("=")
  if (at < 0) throw new InvalidArgument("label must be set as KEY=VALUE")
  return [text.slice(0, at), text.slice(at + 1)]
}
