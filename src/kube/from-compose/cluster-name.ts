import { kubeName } from "../names.ts"

/** Name of a service, volume, secret … of a project in the cluster: a label of RFC 1123, `_` and `.` as `-`. Pure. */
export function clusterName(key: string): string {
  return kubeName(key.replaceAll("_", "-")).replaceAll(".", "-")
}
