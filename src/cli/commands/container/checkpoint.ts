import { atomicWriteStream } from "../../output/write-archive.ts"
import { compress } from "../../../archive/archive.ts"
import type { Bytes } from "../../../base/bytes.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { noteFrozen, printStats } from "../../output/checkpoint-stats.ts"
import type { CheckpointResult } from "../../../container/container.ts"

export default command({
  summary: "Checkpoint one or more containers",
  args: [arg.some("CONTAINER", "running", { unless: CHOOSING })],
  flags: {
    all: flag.bool("Checkpoint all running containers", { short: "a" }),
    compress: flag.choice(
      ["gzip", "none", "zstd"],
      "Select compression algorithm (gzip, none, zstd) for checkpoint archive",
      {
        short: "c",
        initial: "zstd",
      },
    ),
    createImage: flag.string("Create checkpoint image with specified name"),
    export: flag.string("Export the checkpoint image to a tar archive", "FILE", { short: "e" }),
    fileLocks: flag.bool("Checkpoint a container with file locks"),
    ignoreRootfs: flag.bool("Do not include root file-system changes when exporting"),
    ignoreVolumes: flag.bool("Do not export volumes associated with container"),
    keep: flag.bool("Keep all temporary checkpoint files", { short: "k" }),
    latest: CHOICE_FLAGS.latest,
    leaveRunning: flag.bool("Leave the container running after writing checkpoint to disk", { short: "R" }),
    preCheckpoint: flag.bool("Dump container's memory information only, leave the container running", { short: "P" }),
    printStats: flag.bool("Display checkpoint statistics"),
    tcpEstablished: flag.bool("Checkpoint a container with established TCP connections"),
    withPrevious: flag.bool("Checkpoint container with pre-checkpoint images"),
  },
  examples: ["skiff container checkpoint web", "skiff container checkpoint -R -e web.tar.zst web"],
  async run({ args: [given], flags, engine, out, report }) {
    const { createImage, leaveRunning, preCheckpoint, withPrevious, keep, tcpEstablished, fileLocks } = flags
    if (createImage !== undefined && flags.export !== undefined)
      throw new UsageError("cannot use --create-image and --export together")
    const isExported = createImage !== undefined || flags.export !== undefined
    for (const [isSet, name] of [
      [flags.ignoreRootfs, "--ignore-rootfs"],
      [flags.ignoreVolumes, "--ignore-volumes"],
    ] as const)
      if (isSet && !isExported) throw new UsageError(`${name} can only be used with --export or --create-image`)
    if (preCheckpoint && withPrevious) throw new UsageError("--with-previous can not be used with --pre-checkpoint")
    const containers = await engine.containers()
    const names = chooseContainers(containers, given, flags, ({ state }) => state.status === "running")
    if (isExported && names.length !== 1) throw new UsageError("exporting checkpoints only supports single containers")
    const write = async (archive: Bytes): Promise<void> => {
      if (flags.export !== undefined)
        return await atomicWriteStream(
          flags.export,
          flags.compress === "none" || flags.compress === undefined ? archive : compress(archive, flags.compress),
        )
      const { makeCheckpointImage } = await import("../../output/checkpoint-image.ts")
      await makeCheckpointImage(engine, createImage ?? "", names[0] ?? "", archive)
    }
    const results: CheckpointResult[] = []
    let failed = false
    for (const name of names) {
      try {
        const result = await containers.checkpoints.create(name, {
          leaveRunning,
          preCheckpoint,
          withPrevious,
          keep,
          tcpEstablished,
          fileLocks,
          ...(isExported && {
            export: { write, ignoreRootfs: flags.ignoreRootfs, ignoreVolumes: flags.ignoreVolumes },
          }),
        })
        results.push(result)
        noteFrozen(out, result)
        if (!flags.printStats) out.line(flags.all ? result.id : name)
      } catch (error) {
        failed = true
        await report(error)
      }
    }
    if (flags.printStats) printStats(out, "checkpoint", results)
    return failed ? 1 : 0
  },
})
