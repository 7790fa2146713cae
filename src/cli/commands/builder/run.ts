import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { BUILD_FLAGS } from "../../build/flags.ts"
import { command } from "../../command.ts"
import { resourcesOf } from "../../container-options.ts"
import { flag } from "../../flag.ts"
import { writeAll } from "../../out.ts"

const { addHost, cpuPeriod, cpuQuota, cpuShares, cpus, cpusetCpus, cpusetMems } = BUILD_FLAGS
const { memory, memorySwap, network, runtime, shmSize, ulimit } = BUILD_FLAGS

export default command({
  summary: "Run a command inside of the working container",
  args: [arg.one("CONTAINER"), arg.one("COMMAND"), arg.rest("[ARG...]")],
  flags: {
    addHost,
    cpuPeriod,
    cpuQuota,
    cpuShares,
    cpus,
    cpusetCpus,
    cpusetMems,
    env: flag.strings("Add a variable for this command alone", "list", { short: "e" }),
    memory,
    memorySwap,
    network,
    runtime,
    shmSize,
    ulimit,
    user: flag.string('Username or UID (format: "<name|uid>[:<group|gid>]")', "string", { short: "u" }),
    workingdir: flag.string("Working directory of the command", "string", { aliases: ["workdir"] }),
  },
  flagsBeforeWords: true,
  examples: ["skiff builder run $c -- apt-get update", "skiff builder run --user www-data $c id"],
  async run({ args: [container, program, words], flags, engine }) {
    using interrupt = new AbortOnInterrupt()
    const working = await engine.workingContainers()
    await working.run(container, {
      argv: program === "--" ? words : [program, ...words],
      env: flags.env.flatMap(envEntry),
      network: flags.network ?? "default",
      ...(flags.user === undefined ? {} : { user: flags.user }),
      ...(flags.workingdir === undefined ? {} : { cwd: flags.workingdir }),
      onLog: (stream, bytes) => writeAll(stream === "stdout" ? 1 : 2, bytes),
      signal: interrupt.signal,
      settings: {
        secrets: [],
        ssh: [],
        extraHosts: flags.addHost,
        ulimits: flags.ulimit,
        resources: resourcesOf(flags),
        ...(flags.shmSize === undefined ? {} : { shmSizeBytes: flags.shmSize }),
        ...(flags.runtime === undefined ? {} : { runtime: flags.runtime }),
      },
    })
  },
})

/** `NAME=VALUE`, or `NAME` for the caller's. */
function envEntry(text: string): string[] {
  if (text.includes("=")) return [text]
  const value = process.env[text]
  return value === undefined ? [] : [`${text}=${value}`]
}
