import { isSkiffError } from "../../base/errors.ts"
import type { Containers } from "../../container/container.ts"
import type { Engine } from "../../engine/engine.ts"
import type { Kube, KubeFile, PlayReport } from "../../kube/kube.ts"
import { AbortOnInterrupt } from "../abort-on-interrupt.ts"
import type { FlagValues } from "../flag.ts"
import type { Out } from "../out.ts"
import { PullProgress } from "../output/pull-progress.ts"
import { playOptions, type PLAY_FLAGS } from "./play-flags.ts"
import { readKubeFiles } from "./read-files.ts"
import { tellDown, tellPlayed, warningLine } from "./report.ts"

/** What `kube play` is called with. */
export interface PlayContext {
  flags: FlagValues<typeof PLAY_FLAGS>
  engine: Engine
  out: Out
  report(error: unknown): Promise<number>
}

const FAILED = 125

/** Plays, takes down, or both, as the flags say; gives the exit code. */
export async function runPlay(names: readonly string[], context: PlayContext): Promise<number> {
  const { flags, engine, out, report } = context
  using interrupt = new AbortOnInterrupt()
  const { signal } = interrupt
  const files = await readKubeFiles(names, signal)
  const configMaps = await readKubeFiles(flags.configmap.flat(), signal)
  const kube = await engine.kube()
  if (flags.down) return tellDown(await kube.down(files, { force: flags.force, signal }), out, report)
  if (flags.replace) await tellDown(await kube.down(files, { signal }), out, report)
  if (flags.wait) out.line("Use ctrl+c to clean up or wait for pods to exit")
  const stays = flags.wait || flags.serviceContainer
  try {
    const played = await play(kube, files, configMaps, context, signal)
    const failed = await tellPlayed(played, out, report)
    if (failed > 0) return FAILED
    const code = stays ? await untilEnded(await engine.containers(), played, context, signal) : 0
    if (flags.wait) await cleanUp(kube, files, context, "Cleaning up containers, pods, and volumes...")
    return code
  } catch (error) {
    if (!stays || !isSkiffError(error, "Cancelled")) throw error
    // a service manager that ends us takes the pods down by itself
    if (!flags.wait) return 0
    await cleanUp(kube, files, context, "\nCleaning up containers, pods, and volumes...")
    return 0
  }
}

async function play(
  kube: Kube,
  files: readonly KubeFile[],
  configMaps: readonly KubeFile[],
  { flags, out }: PlayContext,
  signal: AbortSignal,
): Promise<PlayReport> {
  using progress = new PullProgress({ fd: 2, quiet: flags.quiet })
  return kube.play(files, {
    ...playOptions(flags, configMaps),
    onProgress: progress.onProgress,
    ...(!flags.quiet && {
      onBuildLog: (bytes: Uint8Array) => process.stderr.write(bytes),
      onWarning: (warning) => {
        if (!warning.isInfo || out.stderrIsTerminal) out.warn(warningLine(warning))
      },
    }),
    signal,
  })
}

/** Each container to its end; tells the service manager first. Gives the exit code that the flag asks for. */
async function untilEnded(
  containers: Containers,
  { pods }: PlayReport,
  { flags }: PlayContext,
  signal: AbortSignal,
): Promise<number> {
  if (flags.serviceContainer) await tellReady()
  const ids = pods.flatMap((pod) => pod.containers)
  const codes = await Promise.all(
    ids.map(async (id) => (await containers.waitForState(id, ["exited", "removed"], { signal })).exitCode ?? 0),
  )
  const failures = codes.filter((code) => code !== 0)
  if (flags.serviceExitCodePropagation === "any") return failures[0] ?? 0
  return flags.serviceExitCodePropagation === "all" && failures.length === codes.length ? (failures[0] ?? 0) : 0
}

async function tellReady(): Promise<void> {
  const socket = process.env["NOTIFY_SOCKET"]
  if (!socket) return
  const { notifyServiceManager } = await import("../../sys/net/notify-socket.ts")
  notifyServiceManager(socket, `MAINPID=${process.pid}\nREADY=1`)
}

async function cleanUp(
  kube: Kube,
  files: readonly KubeFile[],
  { out, report }: PlayContext,
  line: string,
): Promise<void> {
  out.line(line)
  await tellDown(await kube.down(files, { force: true }), out, report)
}
