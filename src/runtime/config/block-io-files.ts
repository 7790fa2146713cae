import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import type { OciBlockIo, OciThrottle } from "../../spec/oci-runtime.ts"

/** One write to a cgroup: to the first of these files that the kernel has. */
export type CgroupWrite = readonly (readonly [file: string, value: string])[]

type ThrottleKind =
  "throttleReadBpsDevice" | "throttleWriteBpsDevice" | "throttleReadIOPSDevice" | "throttleWriteIOPSDevice"

/** What v1 and v2 call them. */
const THROTTLES: readonly [kind: ThrottleKind, v1: string, v2: string][] = [
  ["throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"],
  ["throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"],
  ["throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"],
  ["throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops"],
]
const DEFAULT_WEIGHT = 100

/**
 * The writes that give a cgroup the bounds of `after` where it had those of `before` (blkio-controller.rst, cgroup-v2.rst). They
 * are ours, for runtimes of 2023 know but one scheduler's files, and some of them only at the start. Pure.
 */
export function blockIoWrites(version: "v1" | "v2", before: OciBlockIo = {}, after: OciBlockIo = {}): CgroupWrite[] {
  return [
    ...weightWrites(version, before, after),
    ...THROTTLES.flatMap(([kind, v1, v2]) =>
      merged(before[kind], after[kind]).map(({ major, minor, rate }): CgroupWrite => {
        const device = `${major}:${minor}`
        return version === "v1"
          ? [[v1, `${device} ${rate}`]]
          : [["io.max", `${device} ${v2}=${rate === 0 ? "max" : rate}`]]
      }),
    ),
  ]
}

function weightWrites(version: "v1" | "v2", before: OciBlockIo, after: OciBlockIo): CgroupWrite[] {
  const weight = after.weight ?? (before.weight === undefined ? undefined : DEFAULT_WEIGHT)
  const wanted = after.weightDevice ?? []
  const lost = (before.weightDevice ?? []).filter((one) => !wanted.some(isSameDevice(one)))
  return [
    ...(weight === undefined ? [] : [weightWrite(version, "", weight)]),
    ...wanted.map((one) => weightWrite(version, `${one.major}:${one.minor} `, one.weight)),
    ...lost.map((one) => weightWrite(version, `${one.major}:${one.minor} `, undefined)),
  ]
}

/** Undefined: as the others. */
function weightWrite(version: "v1" | "v2", device: string, weight: number | undefined): CgroupWrite {
  if (version === "v2")
    return [
      ["io.bfq.weight", `${device}${weight ?? "default"}`],
      [
        "io.weight",
        `${device === "" ? "default " : device}${weight === undefined ? "default" : unifiedWeight(weight)}`,
      ],
    ]
  const suffix = device === "" ? "" : "_device"
  return ["blkio.bfq.weight", "blkio.weight"].map((name) => [`${name}${suffix}`, `${device}${weight ?? 0}`] as const)
}

/** From docker's 10 to 1000 to the kernel's 1 to 10000, as runtimes do it. */
function unifiedWeight(weight: number): number {
  return Math.floor(1 + ((weight - 10) * 9999) / 990)
}

/** Of devices that are bounded no more: 0 is no bound. */
function merged(before: readonly OciThrottle[] = [], after: readonly OciThrottle[] = []): OciThrottle[] {
  const lost = before
    .filter((one) => !after.some(isSameDevice(one)))
    .map(({ major, minor }) => ({ major, minor, rate: 0 }))
  return [...after, ...lost]
}

function isSameDevice(one: { major: number; minor: number }) {
  return ({ major, minor }: { major: number; minor: number }): boolean => major === one.major && minor === one.minor
}

/** Writes them below the cgroup's directory. Safe to repeat. Throws FailedPrecondition. */
export function writeCgroup(directory: string, writes: readonly CgroupWrite[]): void {
  for (const write of writes) {
    const [file, value] = write.find(([name]) => existsSync(join(directory, name))) ?? []
    if (file === undefined || value === undefined)
      throw new FailedPrecondition(
        `the limit cannot be set: this kernel has no ${write.map(([name]) => name).join(" or ")}`,
        {
          field: write.some(([name]) => name.includes("weight")) ? "resources.blkioWeight" : "resources.memory",
        },
      )
    try {
      writeFileSync(join(directory, file), value)
    } catch (cause) {
      const isWeight = file.includes("weight")
      throw new FailedPrecondition(`the kernel refuses ${file} "${value}"`, {
        field: isWeight ? "resources.blkioWeight" : "resources.deviceReadBps",
        hint:
          isWeight && hasErrno(cause, "EOPNOTSUPP", "ENOTSUP", "ENODEV", "EINVAL")
            ? "the disk needs a scheduler that weighs: echo bfq > /sys/block/DISK/queue/scheduler"
            : "only whole disks have bounds: see lsblk",
        cause,
      })
    }
  }
}
