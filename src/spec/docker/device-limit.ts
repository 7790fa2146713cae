import { InvalidArgument } from "../../base/errors.ts"
import { parseSize } from "../../base/sizes.ts"
import type { DeviceRate, DeviceWeight, HugepageLimit, RdmaLimit } from "./resource-limits.ts"

/** Parses `--blkio-weight-device /dev/sda:200`. Throws InvalidArgument in docker's words. */
export function parseDeviceWeight(text: string): DeviceWeight {
  const { device, value } = splitDevice(text)
  const weight = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (!(weight === 0 || (weight >= 10 && weight <= 1000)))
    throw new InvalidArgument(`invalid weight for device: ${text}`, { hint: "from 10 to 1000" })
  return { device, weight }
}

/** Parses `--device-read-bps /dev/sda:1mb`. Throws InvalidArgument in docker's words. */
export function parseDeviceBytes(text: string): DeviceRate {
  const { device, value } = splitDevice(text)
  try {
    return { device, rate: parseSize(value) }
  } catch (cause) {
    throw new InvalidArgument(`invalid rate for device: ${text}`, {
      hint: "the correct format is <device-path>:<number>[<unit>], where the unit is kb, mb or gb",
      cause,
    })
  }
}

/** Parses `--device-read-iops /dev/sda:1000`. Throws InvalidArgument in docker's words. */
export function parseDeviceOperations(text: string): DeviceRate {
  const { device, value } = splitDevice(text)
  if (!/^\d{1,15}$/.test(value))
    throw new InvalidArgument(`invalid rate for device: ${text}`, {
      hint: "the correct format is <device-path>:<number>, with a whole number",
    })
  return { device, rate: Number(value) }
}

/** Parses `--hugetlb 2MB:64m`: huge pages of that size. Throws InvalidArgument. */
export function parseHugepages(text: string): HugepageLimit {
  const [, number = "", unit = "", limit = ""] = /^(\d+)([kmg])b?[:=](.+)$/i.exec(text) ?? []
  if (number === "")
    throw new InvalidArgument(`invalid limit of huge pages: ${text}`, { hint: "expected SIZE:LIMIT, such as 2MB:64m" })
  return { pageSize: `${number}${unit.toUpperCase()}B`, limitBytes: parseSize(limit) }
}

/** Parses `--rdma mlx5_0:handles=2,objects=2000`. Throws InvalidArgument. */
export function parseRdma(text: string): RdmaLimit {
  const [, device = "", words = ""] = /^([\w.-]+):(.+)$/.exec(text) ?? []
  const pairs = words.split(",").map((word) => /^(handles|objects)=(\d{1,9})$/.exec(word))
  if (device === "" || pairs.some((pair) => pair === null))
    throw new InvalidArgument(`invalid RDMA limit: ${text}`, {
      hint: "expected DEVICE:handles=N,objects=N, such as mlx5_0:handles=2,objects=2000",
    })
  return { device, ...Object.fromEntries(pairs.map((pair) => [pair?.[1], Number(pair?.[2])])) }
}

function splitDevice(text: string): { device: string; value: string } {
  const at = text.lastIndexOf(":")
  const device = text.slice(0, Math.max(at, 0))
  if (at < 0 || at === text.length - 1)
    throw new InvalidArgument(`bad format: ${text}`, { hint: "expected DEVICE:VALUE" })
  if (!device.startsWith("/dev/")) throw new InvalidArgument(`bad format for device path: ${text}`)
  return { device, value: text.slice(at + 1) }
}
