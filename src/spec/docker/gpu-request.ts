import { InvalidArgument } from "../../base/errors.ts"
import { splitCsv } from "./csv.ts"

/** Which GPUs: by their ids, or the first so many. */
export interface GpuRequest {
  /** -1: all. */
  count?: number
  deviceIds?: readonly string[]
  driver?: string
}

const MOST = 99

/** Names of NVIDIA's devices by the Container Device Interface: `nvidia.com/gpu=all`. Throws InvalidArgument. */
export function gpuDevices({ count, deviceIds = [], driver = "" }: GpuRequest): string[] {
  if (driver !== "" && driver !== "nvidia") throw new InvalidArgument(`no driver "${driver}": nvidia alone is known`)
  if (count !== undefined && (!Number.isInteger(count) || count > MOST))
    throw new InvalidArgument(`invalid GPU request "${count}": expected all, 2, or device=0,1`)
  const counted =
    count === undefined || count === 0
      ? []
      : count < 0
        ? ["all"]
        : Array.from({ length: count }, (_, index) => `${index}`)
  const ids = [...counted, ...deviceIds]
  return (ids.length === 0 ? ["all"] : ids).map((id) => `nvidia.com/gpu=${id}`)
}

/** Parses docker's `--gpus all`, `2`, `device=0,1`, `count=all,capabilities=utility`. Throws InvalidArgument. */
export function parseGpus(text: string): string[] {
  const [first = "", ...rest] = splitCsv(text, "GPU request")
  const words = first === "all" || /^\d+$/.test(first) ? [`count=${first}`, ...rest] : [first, ...rest]
  const request: { count?: number; deviceIds: string[]; driver?: string } = { deviceIds: [] }
  for (const word of words) {
    const [, key = "", value = ""] = /^(count|device|driver|capabilities|options)=(.+)$/s.exec(word) ?? []
    const isNamed = request.count !== undefined || request.deviceIds.length > 0
    if (key === "count" && value === "all") request.count = -1
    else if (key === "count" && /^[1-9]\d?$/.test(value)) request.count = Number(value)
    else if (key === "device") request.deviceIds.push(...value.split(","))
    else if (isNamed && key === "" && /^[\w-]+$/.test(word)) request.deviceIds.push(word)
    else if (key === "driver") request.driver = value
    else if (key === "" || key === "count")
      throw new InvalidArgument(`invalid GPU request "${text}": expected all, 2, or device=0,1`)
  }
  return gpuDevices(request)
}
