import { InvalidArgument } from "../../base/errors.ts"

/** What `--device-cgroup-rule` allows: devices by their numbers; undefined is all. */
export interface DeviceCgroupRule {
  type: "a" | "b" | "c"
  major?: number
  minor?: number
  /** Any of `rwm`. */
  access: string
}

/** Parses `c 42:* rmw`. Throws InvalidArgument in docker's words. */
export function parseDeviceCgroupRule(text: string): DeviceCgroupRule {
  const [, type, major = "", minor = "", access = ""] =
    /^([abc]) (\d{1,9}|\*):(\d{1,9}|\*) ([rwm]{1,3})$/.exec(text) ?? []
  if (type === undefined)
    throw new InvalidArgument(`invalid device cgroup format '${text}'`, { hint: "such as: c 42:* rmw" })
  return {
    type: type as DeviceCgroupRule["type"],
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  }
}

/** As docker writes it. */
export function formatDeviceCgroupRule({ type, major, minor, access }: DeviceCgroupRule): string {
  return `${type} ${major ?? "*"}:${minor ?? "*"} ${access}`
}
