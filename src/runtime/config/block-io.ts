import { statSync } from "node:fs"
import { FailedPrecondition, InvalidArgument, NotFound } from "../../base/errors.ts"
import type { OciBlockIo, OciThrottle } from "../../spec/oci-runtime.ts"
import type { DeviceRate } from "../../spec/docker/resource-limits.ts"
import { deviceNumbers } from "../../sys/fs/device-numbers.ts"
import type { ResourceLimits } from "../runtime.ts"
import { needs, type LimitSupport } from "./limit-support.ts"

/** Weights and bounds of block devices. Throws InvalidArgument, NotFound, FailedPrecondition. */
export function blockIoOf(limits: ResourceLimits, support: LimitSupport): OciBlockIo | undefined {
  const blockIO: OciBlockIo = {
    ...(limits.blkioWeight && { weight: checkWeight(limits.blkioWeight) }),
    ...filled(
      "weightDevice",
      limits.blkioWeightDevices,
      "resources.blkioWeightDevice",
      ({ device, weight }, field) => ({
        ...blockDevice(device, field),
        weight: checkWeight(weight),
      }),
    ),
    ...filled("throttleReadBpsDevice", limits.deviceReadBps, "resources.deviceReadBps", throttle),
    ...filled("throttleWriteBpsDevice", limits.deviceWriteBps, "resources.deviceWriteBps", throttle),
    ...filled("throttleReadIOPSDevice", limits.deviceReadIops, "resources.deviceReadIops", throttle),
    ...filled("throttleWriteIOPSDevice", limits.deviceWriteIops, "resources.deviceWriteIops", throttle),
  }
  if (Object.keys(blockIO).length === 0) return undefined
  const isWeight = blockIO.weight !== undefined || blockIO.weightDevice !== undefined
  const field = isWeight ? "resources.blkioWeight" : "resources.deviceReadBps"
  needs(support.cgroup === "v2" ? "io" : "blkio", field, support)
  if (isWeight && support.cgroup !== "v2" && !hasWeights(support))
    throw new FailedPrecondition("block I/O cannot be weighed: this kernel has neither the BFQ nor the CFQ scheduler", {
      field,
      hint: ["modprobe bfq", { do: "omit", field }],
    })
  return blockIO
}

function hasWeights({ hasFile = () => true }: LimitSupport): boolean {
  // of the root cgroup, which has no weight itself
  return hasFile("blkio", "blkio.bfq.io_serviced") || hasFile("blkio", "blkio.weight")
}

function filled<K extends keyof OciBlockIo, T>(
  name: K,
  items: readonly T[] = [],
  field: string,
  convert: (item: T, field: string) => unknown,
): OciBlockIo {
  return items.length === 0 ? {} : { [name]: items.map((item) => convert(item, field)) }
}

function throttle({ device, rate }: DeviceRate, field: string): OciThrottle {
  return { ...blockDevice(device, field), rate }
}

function blockDevice(path: string, field: string): { major: number; minor: number } {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined)
    throw new NotFound(`no such device: "${path}"`, { field, hint: "see the block devices of this host: lsblk" })
  if (!stat.isBlockDevice())
    throw new InvalidArgument(`"${path}" is no block device`, {
      field,
      hint: "see the block devices of this host: lsblk",
    })
  return deviceNumbers(stat.rdev)
}

function checkWeight(weight: number): number {
  if (weight >= 10 && weight <= 1000) return weight
  throw new InvalidArgument(`a block I/O weight of ${weight} is out of range`, {
    field: "resources.blkioWeight",
    hint: "valid: 10 to 1000",
  })
}
