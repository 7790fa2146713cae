import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import type { AttachRequest } from "../../compose/attach/attach-request.ts"
import type { WatchRun } from "../../compose/run-watch.ts"
import { watched } from "../../compose/watched-services.ts"
import type { Project } from "../../../compose/compose.ts"
import { runUp } from "../../compose/run-up.ts"
import { timeoutFlag, timeoutOption } from "../../compose/time-flag.ts"
import { confirmation, CREATE_FLAGS, createOptions, EXPLAIN_FLAG, incompatible } from "../../compose/up-flags.ts"
import { flag, type FlagValues } from "../../flag.ts"

const FLAGS = {
  ...CREATE_FLAGS,
  abortOnContainerExit: flag.bool("Stops all containers if any container was stopped. Incompatible with -d"),
  abortOnContainerFailure: flag.bool("Stops all containers if any container exited with failure. Incompatible with -d"),
  alwaysRecreateDeps: flag.bool("Recreate dependent containers. Incompatible with --no-recreate"),
  attach: flag.strings(
    "Restrict attaching to the specified services. Incompatible with --attach-dependencies",
    "stringArray",
  ),
  attachDependencies: flag.bool("Automatically attach to log output of dependent services"),
  detach: flag.bool("Detached mode: Run containers in the background", { short: "d" }),
  exitCodeFrom: flag.string(
    "Return the exit code of the selected service container. Implies --abort-on-container-exit",
  ),
  explain: EXPLAIN_FLAG,
  menu: { ...flag.bool("Enable interactive shortcuts when running attached"), initial: undefined },
  noAttach: flag.strings("Do not attach (stream logs) to the specified services", "stringArray"),
  noColor: flag.bool("Produce monochrome output"),
  noDeps: flag.bool("Don't start linked services"),
  noLogPrefix: flag.bool("Don't print prefix in logs"),
  noStart: flag.bool("Don't start the services after creating them"),
  quietBuild: flag.bool("Suppress the build output"),
  renewAnonVolumes: flag.bool("Recreate anonymous volumes instead of retrieving data from the previous containers", {
    short: "V",
  }),
  timeout: timeoutFlag,
  timestamps: flag.bool("Show timestamps"),
  wait: flag.bool("Wait for services to be running|healthy. Implies detached mode"),
  waitTimeout: flag.int("Maximum duration in seconds to wait for the project to be running|healthy"),
  watch: flag.bool("Watch source code and rebuild/refresh containers when files are updated", { short: "w" }),
}

/** Values of the flags of `up`. */
export type UpFlags = FlagValues<typeof FLAGS>

export default composeCommand({
  summary: "Create and start containers",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: FLAGS,
  async run({ args: [services], flags, compose, out, engine, report }) {
    const options = createOptions(flags)
    checkFlags(flags)
    const project = await compose.project(services)
    const isDetached = flags.detach || flags.wait || flags.noStart || compose.isDryRun
    const up = {
      ...options,
      ...timeoutOption(flags.timeout),
      services,
      withoutDependencies: flags.noDeps,
      recreate: flags.renewAnonVolumes && options.recreate === "diverged" ? ("always" as const) : options.recreate,
      recreateDependencies: flags.alwaysRecreateDeps ? ("always" as const) : options.recreateDependencies,
      renewVolumes: flags.renewAnonVolumes,
      start: !flags.noStart,
      wait: flags.wait,
      waitTimeoutSeconds: flags.waitTimeout,
      confirm: confirmation(flags.yes),
    }
    const show = { title: "Running", quietBuild: flags.quietBuild, explain: flags.explain ? out : undefined }
    if (isDetached) {
      await runUp(compose, project, up, show)
      if (compose.isDryRun && !flags.detach && !flags.wait && !flags.noStart)
        out.line("end of 'compose up' output, interactive run is not supported in dry-run mode")
      return 0
    }
    const { attachUp } = await import("../../compose/attach-display.ts")
    const watch =
      flags.watch || canBeWatched(project) ? watchOf({ compose, engine, project, services, report }) : undefined
    return attachUp({ compose, engine, out, project, services, flags, watch }, (attached) =>
      runUp(compose, project, up, { ...show, ...attached }),
    )
  },
})

function canBeWatched({ services }: Project): boolean {
  return Object.values(services).some(({ develop }) => (develop?.watch ?? []).length > 0)
}

/** How an attached `up` watches. Throws FailedPrecondition, in docker's words, where there is nothing to watch. */
function watchOf(
  run: Pick<WatchRun, "compose" | "engine" | "project" | "services" | "report">,
): AttachRequest["watch"] {
  const services = watched(run.project, run.services)
  return async (project, signal, onLine) => {
    const { runWatch } = await import("../../compose/run-watch.ts")
    await runWatch({ ...run, project, services, signal, onLine })
  }
}

/** Docker's refusals of flags that contradict each other. Throws UsageError. */
function checkFlags(flags: UpFlags): void {
  const isCascade = flags.abortOnContainerExit || (flags.exitCodeFrom !== undefined && !flags.abortOnContainerFailure)
  if (flags.abortOnContainerExit && flags.abortOnContainerFailure)
    throw incompatible("--abort-on-container-failure cannot be combined with --abort-on-container-exit")
  if (flags.attachDependencies && flags.attach.length > 0)
    throw incompatible("cannot combine --attach and --attach-dependencies")
  const isAttached = isCascade || flags.abortOnContainerFailure || flags.attachDependencies || flags.attach.length > 0
  if ((flags.detach || flags.wait) && (isAttached || flags.watch))
    throw incompatible(
      `--${flags.wait ? "wait" : "detach"} cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch`,
    )
  if (flags.renewAnonVolumes && flags.noRecreate)
    throw incompatible("--no-recreate and --renew-anon-volumes are incompatible")
  if (flags.alwaysRecreateDeps && flags.noRecreate)
    throw incompatible("--always-recreate-deps and --no-recreate are incompatible")
  if (flags.noBuild && flags.watch) throw incompatible("--no-build and --watch are incompatible")
}
