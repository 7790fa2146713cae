import { FailedPrecondition, isSkiffError } from "../../../base/errors.ts"
import type { Container, ContainerOptions, Containers, Resources } from "../../../container/container.ts"
import type { Engine } from "../../../engine/engine.ts"
import { withoutAddresses } from "../../../network/network.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { RESOURCE_FLAGS, resourcesOf } from "../../container-flags/limits.ts"
import { inPodOf } from "../../container-flags/pods.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Clone an existing container",
  args: [arg.one("CONTAINER", "containers"), arg.optional("NAME"), arg.optional("IMAGE", "images")],
  flags: {
    ...RESOURCE_FLAGS,
    destroy: flag.bool("Destroy the original container"),
    force: flag.bool("Force the existing container to be destroyed", { short: "f" }),
    name: flag.string("Assign a name to the container"),
    pod: flag.string("Run container in an existing pod", "pod", { completes: "pods" }),
    run: flag.bool("Run the new container"),
  },
  failureCode: 125,
  examples: [
    "skiff container clone --memory 1g --run web web2",
    "skiff container clone --destroy --force web web nginx:2",
  ],
  async run({ args: [source, name, image], flags, engine, out }) {
    if (name !== undefined && flags.name !== undefined)
      throw new UsageError("give the name once: as an argument or by --name")
    if (flags.force && !flags.destroy) throw new UsageError("cannot set --force without --destroy")
    const containers = await engine.containers()
    const original = containers.get(source)
    const isUp = original.state.status === "running" || original.state.status === "paused"
    if (flags.destroy && isUp && !flags.force)
      throw new FailedPrecondition(`container "${original.name}" is running: it is destroyed by --force only`, {
        hint: { do: "stop", container: original.name },
      })
    const wanted = flags.name ?? name
    const takesName = flags.destroy && wanted === original.name
    const options: ContainerOptions = {
      ...copied(original),
      resources: overridden(original.options.resources, resourcesOf(flags)),
      image: image ?? (await imageOf(engine, original)),
      name: wanted === undefined || takesName ? freeName(containers, original.name) : wanted,
    }
    await using joined = await inPodOf(engine, { pod: flags.pod, podIdFile: undefined }, options)
    const { id } = await containers.create(joined.options)
    joined.keep()
    // before the start: the clone publishes the same ports
    if (flags.destroy) await containers.remove(original.id, { force: flags.force })
    if (takesName) await containers.rename(id, original.name)
    if (flags.run) (await containers.start(id)).release()
    out.line(id)
  },
})

/** Without what is had once: a name, an address. */
function copied({ options }: Container): ContainerOptions {
  const { name: _, address: __, macAddress: ___, networks, ...rest } = options
  return { ...rest, ...(networks && { networks: networks.map(withoutAddresses) }) }
}

/** By the name it was made of where that still leads to the same image, else by its id. */
async function imageOf(engine: Engine, { options, imageId }: Container): Promise<string> {
  const named = (await engine.images()).find(options.image)
  return named?.id === imageId ? options.image : imageId
}

/** A share of processors is said in one of two ways: the new one replaces the other, too. */
function overridden(before: Resources, changes: Resources): Resources {
  const { cpus, cpuPeriodUs, cpuQuotaUs, ...others } = before
  const isNewShare = changes.cpus !== undefined || changes.cpuPeriodUs !== undefined || changes.cpuQuotaUs !== undefined
  const share = {
    ...(cpus === undefined ? {} : { cpus }),
    ...(cpuPeriodUs === undefined ? {} : { cpuPeriodUs }),
    ...(cpuQuotaUs === undefined ? {} : { cpuQuotaUs }),
  }
  return { ...others, ...(isNewShare ? {} : share), ...changes }
}

/** podman's: `web-clone`, then `web-clone1`. */
function freeName(containers: Containers, name: string): string {
  for (let count = 0; ; count++) {
    const candidate = `${name}-clone${count === 0 ? "" : count}`
    try {
      if (containers.get(candidate).name !== candidate) return candidate
    } catch (error) {
      if (!isSkiffError(error, "NotFound")) throw error
      return candidate
    }
  }
}
