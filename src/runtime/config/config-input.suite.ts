import type { ConfigInput } from "../runtime.ts"

/** A container with docker's defaults. */
export function configInput(given: Pick<ConfigInput, "id" | "rootfs" | "argv"> & Partial<ConfigInput>): ConfigInput {
  return {
    readOnly: false,
    env: ["PATH=/usr/bin:/bin"],
    cwd: "/",
    user: { uid: 0, gid: 0, additionalGids: [] },
    tty: false,
    mounts: [],
    network: { kind: "private" },
    privileged: false,
    capAdd: [],
    capDrop: [],
    securityOptions: [],
    sysctls: {},
    devices: [],
    ulimits: [],
    resources: {},
    ...given,
  }
}
