import { formatBinarySize, formatSize } from "../../../base/sizes.ts"
import type { EngineInfo } from "../../../docker/info-document.ts"
import { command } from "../../command.ts"
import { printDocuments } from "../../output/document.ts"
import { hanging } from "../../output/wrap.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display system-wide information",
  args: [],
  flags: DOCUMENT_FORMAT_FLAGS,
  async run({ flags, engine, out, dialect }) {
    const [info, documents] = await Promise.all([engine.info(), dialect.documents()])
    const format = flags.json ? "json" : flags.format
    if (format !== undefined) return printDocuments(out, [documents.info(info)], format)
    if (documents.infoText) return out.text(documents.infoText(info))
    for (const line of infoLines(info)) {
      const [, label = "", text = ""] = /^( *[^:]+: )(.*)$/.exec(line) ?? [line, "", line]
      for (const part of hanging(label, text, out.columns)) out.line(part)
    }
  },
})

function infoLines(info: EngineInfo): string[] {
  const { containers, runtime, monitor, cgroup, defaults } = info
  return [
    `Containers: ${containers.total}`,
    ` Running: ${containers.running}`,
    ` Paused: ${containers.paused}`,
    ` Stopped: ${containers.stopped}`,
    `Images: ${info.images}`,
    `Version: ${info.version}`,
    `Storage Driver: ${info.snapshotter}`,
    `Cgroup Version: ${cgroup.version}`,
    ` Controllers: ${cgroup.delegatedControllers.join(" ")}`,
    `Runtime: ${runtime.name} ${runtime.version} (${runtime.path})${runtime.reason ? `: ${runtime.reason}` : ""}`,
    `Monitor: ${monitor.version} (${monitor.path})`,
    `Build Isolation: ${info.buildIsolation}`,
    `Default Log: ${defaults.logDriver}, ${formatSize(defaults.logBytes)} a container`,
    `Default Pids Limit: ${defaults.pidsLimit ?? "none (no pids controller for this user)"}`,
    `Rootless: ${info.rootless}`,
    "Security Options:",
    ...info.securityOptions.map((option) => ` ${option}`),
    `Kernel Version: ${info.kernel}`,
    `Operating System: ${info.operatingSystem}`,
    `Architecture: ${info.architecture}`,
    `CPUs: ${info.cpus}`,
    `Total Memory: ${formatBinarySize(info.memoryBytes)}`,
    `Name: ${info.hostname}`,
    `Root Dir: ${info.root}`,
    `Run Dir: ${info.runRoot}`,
  ]
}
