import { createReadStream } from "node:fs"
import type { Bytes } from "../../../base/bytes.ts"
import { isSkiffError } from "../../../base/errors.ts"
import type { CheckpointResult } from "../../../container/container.ts"
import type { Engine } from "../../../engine/engine.ts"
import { parsePublish } from "../../../spec/docker/port-mapping.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { printStats } from "../../output/checkpoint-stats.ts"

export default command({
  summary: "Restore one or more containers from a checkpoint",
  args: [arg.some("CONTAINER|IMAGE", "containers", { unless: [...CHOOSING, "import"] })],
  flags: {
    all: flag.bool("Restore all checkpointed containers", { short: "a" }),
    fileLocks: flag.bool("Restore a container with file locks"),
    ignoreRootfs: flag.bool("Do not apply root file-system changes when importing from exported checkpoint"),
    ignoreStaticIp: flag.bool("Ignore IP address set via --static-ip"),
    ignoreStaticMac: flag.bool("Ignore MAC address set via --mac-address"),
    ignoreVolumes: flag.bool("Do not restore content of volumes"),
    import: flag.string("Restore from exported checkpoint archive", "FILE", { short: "i" }),
    importPrevious: flag.string("Restore from exported pre-checkpoint archive", "FILE"),
    keep: flag.bool("Keep all temporary checkpoint files", { short: "k" }),
    latest: CHOICE_FLAGS.latest,
    name: flag.string("Specify new name for container restored from exported checkpoint", "string", { short: "n" }),
    pod: flag.string("Restore container into existing Pod (refused: its namespaces come back with it)", "pod"),
    printStats: flag.bool("Display restore statistics"),
    publish: flag.strings("Publish a container's port, or a range of ports, to the host", "list", { short: "p" }),
    tcpClose: flag.bool("Close connections that it had (refused: runc cannot)"),
    tcpEstablished: flag.bool("Restore a container with established TCP connections"),
    trust: flag.bool("Give an imported checkpoint what it asks for of the host: directories, devices, privileges"),
  },
  examples: ["skiff container restore web", "skiff container restore -i web.tar.zst -n web2"],
  async run({ args: [given], flags, engine, out, report }) {
    const {
      fileLocks,
      ignoreRootfs,
      ignoreStaticIp,
      ignoreStaticMac,
      ignoreVolumes,
      keep,
      name,
      tcpEstablished,
      trust,
    } = flags
    if (flags.pod !== undefined)
      throw new UsageError("--pod: a container comes back with its own namespaces, and cannot join those of a pod")
    if (flags.tcpClose)
      throw new UsageError(
        "--tcp-close: runc restores connections or refuses them, and closes none; see --tcp-established",
      )
    if (flags.importPrevious !== undefined && flags.import === undefined)
      throw new UsageError("--import-previous can only be used with --import")
    const containers = await engine.containers()
    const local = { fileLocks, ignoreStaticIp, ignoreStaticMac, keep, tcpEstablished }
    const ports = flags.publish.flatMap((text) => parsePublish(text))
    const foreign = {
      ...local,
      ignoreRootfs,
      ignoreVolumes,
      trust,
      ...(flags.importPrevious === undefined ? {} : { previous: createReadStream(flags.importPrevious) }),
      ...(name === undefined ? {} : { name }),
      ...(ports.length === 0 ? {} : { ports }),
    }
    const results: CheckpointResult[] = []
    if (flags.import !== undefined) {
      if (given.length > 0 || flags.all || flags.latest)
        throw new UsageError("cannot use --import and --all or --latest or names at the same time")
      results.push(await containers.checkpoints.import(createReadStream(flags.import), foreign))
    }
    if (name !== undefined && flags.import === undefined && given.length !== 1)
      throw new UsageError("--name can only be used with one checkpoint image or --import")
    const names =
      flags.import === undefined
        ? chooseContainers(containers, given, flags, ({ state }) => state.status === "exited")
        : []
    let failed = false
    for (const one of names) {
      try {
        const archive = flags.all || flags.latest ? undefined : await checkpointImage(engine, one)
        results.push(
          archive === undefined
            ? await containers.checkpoints.restore(one, local)
            : await containers.checkpoints.import(archive, foreign),
        )
      } catch (error) {
        // of all, those that have one
        if (flags.all && isSkiffError(error, "NotFound")) continue
        failed = true
        await report(error)
      }
    }
    if (flags.printStats) printStats(out, "restore", results)
    else
      for (const { id } of results) out.line(flags.import === undefined && names.length === 1 ? (names[0] ?? id) : id)
    return failed ? 1 : 0
  },
})

/** The archive that an image holds, where no container has that name. */
async function checkpointImage(engine: Engine, name: string): Promise<Bytes | undefined> {
  try {
    void (await engine.containers()).get(name)
    return undefined
  } catch (error) {
    if (!isSkiffError(error, "NotFound")) throw error
    const images = await engine.images()
    const image = images.find(name)
    if (image === undefined) throw error
    return images.files(image.id)
  }
}
